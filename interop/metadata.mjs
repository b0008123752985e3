// Salesforce's own library makes a Metadata API package of the source in deploy/salesforce,
// without an org. It does not mind malformed XML, so the tests there look at that; here it
// shows that it knows every file, and what package.xml it makes of them.
//
//   node metadata.mjs SOURCE OUTPUT
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

process.env.SF_DISABLE_LOG_FILE = "true";
process.env.SF_DISABLE_TELEMETRY = "true";
const { ComponentSet, MetadataConverter } = await import("@salesforce/source-deploy-retrieve");

const [source, output] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync(new URL("./node_modules/@salesforce/source-deploy-retrieve/package.json", import.meta.url)));
const started = Date.now();
const set = ComponentSet.fromSource(join(source, "force-app"));
set.sourceApiVersion = JSON.parse(readFileSync(join(source, "sfdx-project.json"), "utf8")).sourceApiVersion;

const known = new Set();
for (const c of set.getSourceComponents()) {
  known.add(c.xml);
  for (const child of c.getChildren()) known.add(child.xml);
}
for (const file of readdirSync(join(source, "force-app"), { recursive: true })) {
  if (file.endsWith(".xml")) assert.ok(known.has(join(source, "force-app", file)), `${file} is no metadata to Salesforce's library`);
}

rmSync(output, { recursive: true, force: true });
await new MetadataConverter().convert(set, "metadata", { type: "directory", outputDirectory: output, genUniqueDir: false });
console.log(`ok    ${known.size} files converted by source-deploy-retrieve ${version} in ${Date.now() - started} ms`);
