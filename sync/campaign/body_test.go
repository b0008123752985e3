package campaign_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
)

// people answers a body's fields from a table, and nothing for what is not in it.
func people(values map[string]string) func(campaign.Field) string {
	return func(f campaign.Field) string { return values[f.String()] }
}

func TestEachPersonReadsTheirOwnText(t *testing.T) {
	anna := people(map[string]string{
		"Contact.FirstName":    "Anna",
		"Contact.Account.Name": "Acme",
		"Lead.A.B.C.D.E.Name":  "far",
	})
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"No fields here.", "No fields here."},
		{"Hi {!Contact.FirstName}!", "Hi Anna!"},
		{"{!Contact.FirstName}{!Contact.FirstName}", "AnnaAnna"},
		{"{!Contact.FirstName|there} of {!Contact.Account.Name|your firm}", "Anna of Acme"},
		{"Hi {!Contact.Nickname__c|there, dear | friend}!", "Hi there, dear | friend!"},
		{"Hi {!Contact.Nickname__c}!", "Hi !"},
		{"Hi {!Contact.Nickname__c|}!", "Hi !"},
		{"{!Lead.A.B.C.D.E.Name}", "far"},
		{"{!ns__Obj__c.ns__Parent__r.Level__c|0}", "0"},
		{"{!!Contact.FirstName} is written so", "{!Contact.FirstName} is written so"},
		{"{!!{!Contact.FirstName}", "{!Anna"},
		{"{!!!", "{!!"},
		{"{ ! } } {{ }} 50% ! {", "{ ! } } {{ }} 50% ! {"},
		{"{{!Contact.FirstName}}", "{Anna}"},
		{"Grüße, {!Contact.FirstName} 🎉", "Grüße, Anna 🎉"},
	} {
		b, err := campaign.ParseBody(c.text)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, b.Fill(anna), c.text)
	}
}

func TestAFieldIsAskedForOnceHoweverItIsSpelt(t *testing.T) {
	b, err := campaign.ParseBody("{!Contact.FirstName}+{!contact.FIRSTNAME|x}+{!Lead.LastName}+{!Contact.Account.Name}")
	require.NoError(t, err)
	want := []campaign.Field{{"Contact", "FirstName"}, {"Lead", "LastName"}, {"Contact", "Account.Name"}}
	require.Equal(t, want, b.Fields())
	var asked []campaign.Field
	text := b.Fill(func(f campaign.Field) string {
		asked = append(asked, f)
		return strings.ToLower(strings.TrimSuffix(f.Path, "Name"))
	})
	require.Equal(t, want, asked)
	require.Equal(t, "first+first+last+account.", text)
	require.Equal(t, campaign.Field{"CONTACT", "account.NAME"}.Key(), want[2].Key())

	b.Fields()[0] = campaign.Field{"Case", "Subject"}
	require.Equal(t, want, b.Fields(), "a caller's copy is their own")
}

func TestASlipInABodyIsNamedByItsPlace(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Hi {!Contact.FirstName", "character 4: this merge field is not closed: end it with }"},
		{"Grüß 🎉 {!", "character 8: this merge field is not closed"},
		{"Hi {!Contact.FirstName, {!Contact.LastName}", "character 4: this merge field is not closed before the next one"},
		{"{!Contact.FirstName|{!Lead.FirstName}}", "character 1: this merge field is not closed before the next one"},
		{"{!Contact.FirstName|there\nSee you {soon}", "character 1: this merge field is not closed in its line"},
		{"Hi {!}", "character 4: this merge field is empty"},
		{"Hi {!|there}", "character 4: this merge field is empty"},
		{"Hi {! Contact.FirstName}", "character 6: a merge field's name has no blanks"},
		{"Hi {!Contact.First Name}", "character 19: a merge field's name has no blanks"},
		{"Hi {!Contact.FirstName |x}", "character 23: a merge field's name has no blanks"},
		{"Hi {!Contact.\u00a0FirstName}", "character 14: a merge field's name has no blanks"},
		{"Hi {!FirstName}", "character 4: this merge field lacks its object or its field"},
		{"Hi {!Contact.}", "character 14: this is no API name"},
		{"Hi {!.FirstName}", "character 6: this is no API name"},
		{"Hi {!Contact..Name}", "character 14: this is no API name"},
		{"Hi {!$User.FirstName}", "character 6: this is no API name"},
		{"Hi {!Contact.First-Name}", "character 14: this is no API name"},
		{"Hi {!Contact.Vorname_}", "character 14: this is no API name"},
		{"Hi {!Contact.A___c}", "character 14: this is no API name"},
		{"Hi {!Contact.2nd}", "character 14: this is no API name"},
		{"Hi {!Contact.Größe__c}", "character 14: this is no API name"},
		{"{!Lead.A.B.C.D.E.F.Name}", "character 1: this merge field goes over 6 relationships, Salesforce follows 5"},
	} {
		_, err := campaign.ParseBody(c.text)
		require.ErrorContains(t, err, c.want, c.text)
	}
}

func TestAnErrorTellsNothingOfTheText(t *testing.T) {
	for _, text := range []string{"Hi Geheim {!Contact.Geheim Feld}", "{!Contact.Geheim", "{!Geheim}", "{!Contact.Geheim-1}"} {
		_, err := campaign.ParseBody(text)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "Geheim")
	}
}

func TestAValueIsTextAndNothingElse(t *testing.T) {
	b, err := campaign.ParseBody("<{!Contact.FirstName|you}|{!Contact.LastName}>")
	require.NoError(t, err)
	for value, want := range map[string]string{
		"Anna":                   "<Anna|Doe>",
		"  Anna \u00a0\n":        "<Anna|Doe>",
		"":                       "<you|Doe>",
		" \t ":                   "<you|Doe>",
		"\x00\x07":               "<you|Doe>",
		"\x00 \x1b":              "<you|Doe>",
		"An\x00na\x1b\x7f\u0085": "<Anna|Doe>",
		"a\tb\r\nc":              "<a\tb\r\nc|Doe>",
		"{!Contact.LastName}":    "<{!Contact.LastName}|Doe>",
		"{!!":                    "<{!!|Doe>",
		"}":                      "<}|Doe>",
	} {
		require.Equal(t, want, b.Fill(people(map[string]string{"Contact.FirstName": value, "Contact.LastName": "Doe"})), "%q", value)
	}
}

func FuzzParseBody(f *testing.F) {
	for _, seed := range []string{"", "Hi {!Contact.FirstName|there}!", "{!!", "{!!!Contact.A}", "{!A.B}{!a.b|x", "{!A.B|\n}", "ü{!A. B}", "{!A.B.C.D.E.F.G.H}", "{!{!A.B}}"} {
		f.Add(seed, "Anna {!A.B}")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		b, err := campaign.ParseBody(text)
		if err != nil {
			require.Regexp(t, `^character [1-9]`, err.Error())
			return
		}
		keys := map[string]bool{}
		for _, field := range b.Fields() {
			require.False(t, keys[field.Key()], "each once")
			keys[field.Key()] = true
		}
		filled := b.Fill(func(campaign.Field) string { return value })
		if len(keys) == 0 {
			require.Equal(t, strings.ReplaceAll(text, "{!!", "{!"), filled)
			return
		}
		// A sign that the text cannot hold stands wherever a value does, and nowhere else.
		if marked := b.Fill(func(campaign.Field) string { return "\uE000" }); !strings.Contains(text, "\uE000") {
			clean := strings.TrimSpace(strings.Map(func(r rune) rune {
				if unicode.IsControl(r) && !strings.ContainsRune("\r\n\t", r) {
					return -1
				}
				return r
			}, value))
			if clean != "" {
				require.Equal(t, strings.ReplaceAll(marked, "\uE000", clean), filled)
			}
		}
	})
}
