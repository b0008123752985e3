// A Parquet reader that is not ours opens the archive's files, and finds every
// value that a test of Go's has put there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

const dir = process.argv[2];
for (const table of ["messages", "media"]) {
  const want = JSON.parse(readFileSync(join(dir, `${table}.json`), "utf8"));
  const file = await asyncBufferFromFile(join(dir, `${table}.parquet`));
  const metadata = await parquetMetadataAsync(file);
  assert.equal(Number(metadata.num_rows), want.length);
  assert.ok(metadata.row_groups.length > 1, "flat memory: several row groups");
  for (const group of metadata.row_groups) {
    for (const column of group.columns) assert.equal(column.meta_data.codec, "ZSTD");
  }
  const rows = await parquetReadObjects({ file, metadata, compressors });
  assert.equal(rows.length, want.length);
  for (const [i, row] of rows.entries()) {
    assert.deepEqual(Object.keys(row).sort(), Object.keys(want[i]).sort());
    for (const [name, value] of Object.entries(row)) {
      const plain = value instanceof Date ? value.toISOString() : typeof value === "bigint" ? String(value) : value ?? null;
      assert.deepEqual(plain, want[i][name], `${table} ${i} ${name}`);
    }
  }
  console.log(`ok - hyparquet reads ${want.length} rows of ${table}, ${Object.keys(want[0]).length} columns, each value as it was written`);
}
