// The table of metadata types that the tests in deploy/salesforce check its source by
// (testdata/types.txt), made of the types that Salesforce publishes. Without --write it
// only compares.
//
//   node types.mjs SOURCE TABLE [--write]
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [source, table, write] = process.argv.slice(2);
const home = new URL("./node_modules/@salesforce/types/", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", home)));
const declarations = readFileSync(new URL("lib/metadata.d.ts", home), "utf8");

// Types that extend another and have nothing of their own are no more than a string there.
const same = { ReportFolder: "Folder" };

// definition is a type's elements with those of what it extends, or its values.
function definition(name) {
  name = same[name] ?? name;
  const simple = declarations.match(new RegExp(`^export type ${name} = ([^{&]*?);$`, "m"));
  if (simple) {
    const values = [...simple[1].matchAll(/'([^']*)'/g)].map((m) => m[1]);
    return values.length ? { values } : simple[1] === "string" ? {} : definition(simple[1]);
  }
  const found = declarations.match(new RegExp(`^export type ${name} = (?:(\\w+) & )?\\{\\n([^}]*)\\};$`, "m"));
  assert.ok(found, `${name} is no type of @salesforce/types`);
  const elements = found[1] ? definition(found[1]).elements : [];
  for (const [, element, optional, type, many] of found[2].matchAll(/^ {4}(\w+)(\??): ([\w.]+)(\[\])?;$/gm)) {
    elements.push({ element, type, how: many ? "*" : optional ? "?" : "1" });
  }
  return { elements: elements.sort((a, b) => (a.element < b.element ? -1 : 1)) };
}

// Which types are needed: those of the files, and those of the elements in them.
const files = readdirSync(source, { recursive: true }).filter((f) => f.endsWith("-meta.xml"));
const texts = files.map((f) => readFileSync(join(source, f), "utf8"));
const tags = new Set(texts.flatMap((t) => [...t.matchAll(/<(\w+)/g)].map((m) => m[1])));
const needed = new Map();
function need(name) {
  if (needed.has(name) || ["string", "boolean", "number", "Date"].includes(name)) return;
  const d = definition(name);
  needed.set(name, d);
  for (const e of d.elements ?? []) if (tags.has(e.element)) need(e.type);
}
for (const t of texts) need(t.match(/<(\w+) xmlns/)[1]);

let text = `# Made by interop/types.mjs of @salesforce/types ${version} (BSD-3-Clause, Salesforce): do not edit.\n`;
text += "# TYPE, then its elements: name, type, and 1 (needed), ? (at most one) or * (any number). TYPE = its values.\n";
for (const [name, d] of [...needed].sort(([a], [b]) => (a < b ? -1 : 1))) {
  text += d.elements ? `${name}\n` : `${name} = ${(d.values ?? ["string"]).join(" ")}\n`;
  for (const e of d.elements ?? []) text += `  ${e.element} ${e.type} ${e.how}\n`;
}
if (write) writeFileSync(table, text);
assert.equal(readFileSync(table, "utf8"), text, `${table} is not what @salesforce/types ${version} says: node types.mjs ... --write`);
console.log(`ok    ${needed.size} metadata types as @salesforce/types ${version} has them`);
