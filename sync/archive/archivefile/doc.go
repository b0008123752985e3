// Package archivefile is the format of the archive's files: Apache Parquet,
// compressed with zstd, one row a record, columns as archive.Columns has them.
//
// https://parquet.apache.org/docs/file-format/
package archivefile
