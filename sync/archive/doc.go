// Package archive moves old messages out of the org, and back.
//
// A run copies at most Options.RunRows messages. Its order is promise P7: records
// are read, written to files, read back and compared one by one; a manifest that
// names every file with its checksum is committed last; only then the records
// leave the org, and only those that are still as they were copied. What has been
// done is durable before the next step begins, so that a run that was stopped or
// killed goes on where it was: a run without its manifest is thrown away whole,
// one with it is finished.
//
// From before a message leaves until it is restored its SID is remembered as
// archived: the mirror leaves such messages alone.
package archive
