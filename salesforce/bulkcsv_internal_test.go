package salesforce

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
)

// FuzzBulkCSV writes any two texts and reads them back: they are the same but for
// what no text can hold, and a text is never taken for null or for nothing.
func FuzzBulkCSV(f *testing.F) {
	for _, text := range []string{"", "a", `"`, `""`, "\r", "\n", "\r\n", "\r\r\n\n\r", ",", " a ", "#N/A", "\x00", "\xff\xfe", "é😀\u2028", "a\"\r\n\",b"} {
		f.Add(text, "b")
		f.Add("k", text)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		file, err := NewBulkCSV([]string{"A", "B", "C", "D"})
		require.NoError(t, err)
		if file.Add([]BulkValue{BulkText(one), BulkText(two), {}, BulkNull()}) != nil {
			require.Zero(t, file.Rows())
			return
		}
		table := readCSV(strings.NewReader(string(file.Bytes())))
		_, err = table.Read()
		require.NoError(t, err)
		got, err := table.Read()
		require.NoError(t, err)
		for i, sent := range []string{one, two, "", ""} {
			if i == 3 || sent == "" && i < 2 {
				sent = bulkNull
			}
			require.Equal(t, bulkClean(sent), shown(got[i]))
		}
		require.True(t, utf8.Valid(file.Bytes()))
	})
}

// FuzzBulkResult reads any bytes as a result file: none may end the program, and a
// refused record has a code or makes the answer unreadable.
func FuzzBulkResult(f *testing.F) {
	f.Add("\"sf__Id\",\"sf__Error\",\"K\"\n\"\",\"UNABLE_TO_LOCK_ROW:unable: 001:--\",\"k\"\n")
	f.Add("\"sf__Id\",\"sf__Error\"\n\"\",\"no code\"\n")
	f.Add("\"sf__Error\"\n\"A:B:C,D --\"\n\"::\"\n")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, body string) {
		_, _ = eachResult(strings.NewReader(body), []string{errorColumn}, func(r *BulkRow) error {
			require.NotEmpty(t, bulkRowFault(r).Code)
			return nil
		})
	})
}

func TestARecordsRefusalIsReadFromItsFile(t *testing.T) {
	for text, want := range map[string]struct {
		code, text string
		fields     []string
		class      fault.Class
	}{
		"REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --": {
			"REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", []string{"LastName"}, fault.Permanent,
		},
		"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: 001x:--": {
			"UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 001x", nil, fault.Transient,
		},
		"INVALID_FIELD:Failed to deserialize field at col 3. Due to, 'a secret' is not a valid value:CloseDate --": {
			"INVALID_FIELD", "Failed to deserialize field at col 3. Due to, '[...]' is not a valid value", []string{"CloseDate"}, fault.Auth,
		},
		"STRING_TOO_LONG:Text: data value too large: a secret: and more (max length=5):Text__c, Other__c --": {
			"STRING_TOO_LONG", "Text: data value too large (max length=5)", []string{"Text__c", "Other__c"}, fault.Permanent,
		},
		"FIELD_CUSTOM_VALIDATION_EXCEPTION:No: not so": {"FIELD_CUSTOM_VALIDATION_EXCEPTION", "No: not so", nil, fault.Permanent},
		"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:x: UNABLE_TO_LOCK_ROW, y:--": {
			"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "x: UNABLE_TO_LOCK_ROW, y", nil, fault.Transient,
		},
		"what is this": {CodeUnreadable, "a record was refused without a code", nil, fault.Transient},
	} {
		f := bulkRowFault(&BulkRow{columns: []string{"sf__Id", "sf__Error", "Text__c"}, values: []string{"", text, "a secret"}})
		require.Equal(t, want.code, f.Code, text)
		require.Equal(t, want.text, f.Err.Error(), text)
		require.Equal(t, want.fields, f.Fields, text)
		require.Equal(t, want.class, f.Class, text)
	}
}

func TestARecordThatNoJobCanCarryLeavesTheFileAsItWas(t *testing.T) {
	file, err := NewBulkCSV([]string{"Key__c", "Parent__r.Key__c"})
	require.NoError(t, err)
	require.NoError(t, file.Add([]BulkValue{BulkText("k"), BulkText("a\r\n\"b\"")}))
	const whole = "\"Key__c\",\"Parent__r.Key__c\"\n\"k\",\"a\r\n\"\"b\"\"\"\n"
	for _, c := range []struct {
		text string
		why  error
	}{{"#N/A", ErrNullText}, {"\t#n/a ", ErrNullText}, {strings.Repeat("é", 131_073), ErrBulkLength}} {
		require.ErrorIs(t, file.Add([]BulkValue{BulkText("k2"), BulkText(c.text)}), c.why)
	}
	require.Error(t, file.Add([]BulkValue{BulkText("k2")}))
	require.Equal(t, whole, string(file.Bytes()))
	require.NoError(t, file.Add([]BulkValue{BulkText("k2"), BulkText("")}))
	require.NoError(t, file.Add([]BulkValue{BulkText("k3"), {}}))
	require.NoError(t, file.Add([]BulkValue{BulkText("k4"), BulkText("not #N/A")}))
	require.Equal(t, whole+"\"k2\",#N/A\n\"k3\",\n\"k4\",\"not #N/A\"\n", string(file.Bytes()))
	require.Equal(t, 4, file.Rows())
	for _, columns := range [][]string{nil, {"a", "A"}, {"a b"}, {"a,b"}, {""}, {"a.b.c"}, strings.Split(strings.Repeat("x,", 6_000)+"y", ",")} {
		_, err := NewBulkCSV(columns)
		require.Error(t, err)
	}
}
