package archivefile

import (
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/twiliosf/twiliosf/sync/archive"
)

// schema is a table's. Only the record's id is in every row.
type schema struct {
	parquet *parquet.Schema
	leaves  []int // the columns' places in the file, which has them by name
}

var schemas = func() map[archive.Table]*schema {
	all := map[archive.Table]*schema{}
	for _, t := range []archive.Table{archive.Messages, archive.Media} {
		all[t] = schemaOf(t)
	}
	return all
}()

func schemaOf(t archive.Table) *schema {
	group := parquet.Group{}
	for _, c := range archive.Columns(t) {
		group[c.Name] = nodeOf(c)
	}
	s := &schema{parquet: parquet.NewSchema(string(t), group)}
	for _, c := range archive.Columns(t) {
		leaf, _ := s.parquet.Lookup(c.Name)
		s.leaves = append(s.leaves, leaf.ColumnIndex)
	}
	return s
}

func nodeOf(c archive.Column) parquet.Node {
	if c.Name == archive.ColID {
		return parquet.String()
	}
	var n parquet.Node
	switch c.Type {
	case archive.Instant:
		n = parquet.Timestamp(parquet.Millisecond)
	case archive.Day:
		n = parquet.Date()
	case archive.Number:
		n = parquet.Leaf(parquet.DoubleType)
	case archive.Whole:
		n = parquet.Int(64)
	case archive.Flag:
		n = parquet.Leaf(parquet.BooleanType)
	case archive.JSON:
		n = parquet.JSON()
	default:
		n = parquet.String()
	}
	return parquet.Optional(n)
}

const day = 24 * time.Hour

// valueOf is a record's value as Parquet has it.
func valueOf(c archive.Column, v any) parquet.Value {
	switch v := v.(type) {
	case string:
		return parquet.ByteArrayValue([]byte(v))
	case float64:
		return parquet.DoubleValue(v)
	case int64:
		return parquet.Int64Value(v)
	case bool:
		return parquet.BooleanValue(v)
	case time.Time:
		if c.Type == archive.Day {
			return parquet.Int32Value(int32(v.Unix() / int64(day.Seconds()))) //nolint:gosec // a day of a date that Salesforce can hold
		}
		return parquet.Int64Value(v.UnixMilli())
	default:
		return parquet.NullValue()
	}
}

// goValue is what a record has for a value.
func goValue(c archive.Column, v parquet.Value) any {
	if v.IsNull() {
		return nil
	}
	switch c.Type {
	case archive.Instant:
		return time.UnixMilli(v.Int64()).UTC()
	case archive.Day:
		return time.Unix(int64(v.Int32())*int64(day.Seconds()), 0).UTC()
	case archive.Number:
		return v.Double()
	case archive.Whole:
		return v.Int64()
	case archive.Flag:
		return v.Boolean()
	default:
		return string(v.ByteArray())
	}
}

const versionKey = "twiliosf.schema"

func version() string { return strconv.Itoa(archive.SchemaVersion) }
