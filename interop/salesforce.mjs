// jsforce against the emulated org: both logins, query and queryMore, describe,
// upsert by external id, collections, a bulk query, and the errors that the daemon decides by.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import jsforce from "jsforce";
import { finish, sandbox, step } from "./steps.mjs";

const { version } = JSON.parse(readFileSync(new URL("./node_modules/jsforce/package.json", import.meta.url)));
const { url, username, password, security_token, client_id, client_secret } = sandbox.salesforce;
const object = "TwilioSF_Message__c";
const key = "Message_SID__c";
const API = "64.0";

const sid = () => "SM" + randomBytes(16).toString("hex");
const message = (more) => ({ [key]: sid(), Body__c: "Hello", Status__c: "received", Direction__c: "inbound", ...more });
const ids = (results) => results.map((r) => (assert.equal(r.success, true, JSON.stringify(r.errors)), r.id));

const conn = await step("SOAP login by user name, password and token", async () => {
  const c = new jsforce.Connection({ loginUrl: url, version: API });
  const user = await c.login(username, password + security_token);
  assert.match(user.id, /^005/);
  assert.match(user.organizationId, /^00D/);
  return c;
});

await step("a wrong password: INVALID_LOGIN", async () => {
  const c = new jsforce.Connection({ loginUrl: url, version: API });
  await assert.rejects(c.login(username, "wrong"), /INVALID_LOGIN/);
});

const byToken = await step("OAuth client credentials, and the token used alone", async () => {
  const c = new jsforce.Connection({ oauth2: { clientId: client_id, clientSecret: client_secret, loginUrl: url }, version: API });
  await c.authorize({ grant_type: "client_credentials" });
  return new jsforce.Connection({ instanceUrl: c.instanceUrl, accessToken: c.accessToken, version: API });
});

await step("query", async () => {
  const found = await byToken.query(`SELECT Id, Username FROM User WHERE Username = '${username}'`);
  assert.equal(found.totalSize, 1);
  assert.equal(found.records[0].Username, username);
});

await step("describe", async () => {
  const all = await conn.describeGlobal();
  assert.ok(all.sobjects.some((o) => o.name === object));
  const one = await conn.sobject(object).describe();
  const field = one.fields.find((f) => f.name === key);
  assert.equal(field.externalId, true);
  assert.equal(field.unique, true);
  assert.equal(field.length, 34);
});

const { id, external } = await step("upsert by external id: created, then updated", async () => {
  const record = message({ Body__c: "first \"quoted\"\nline 👋🏽" });
  const made = await conn.sobject(object).upsert(record, key);
  assert.equal(made.success, true);
  assert.equal(made.created, true);
  const again = await conn.sobject(object).upsert({ [key]: record[key], Status__c: "read" }, key);
  assert.equal(again.success, true);
  assert.equal(again.created, false);
  const back = await conn.sobject(object).retrieve(made.id);
  assert.equal(back.Body__c, record.Body__c);
  assert.equal(back.Status__c, "read");
  return { id: made.id, external: record[key] };
});

await step("find by external id", async () => {
  const found = await conn.sobject(object).findOne({ [key]: external }, ["Id", "Status__c"]);
  assert.equal(found.Id, id);
});

const many = await step("collections: upsert 200 by external id, some of them there already", async () => {
  const records = [message({ [key]: external, Status__c: "delivered" }), ...Array.from({ length: 199 }, () => message())];
  const results = await conn.request({
    method: "PATCH",
    url: `/composite/sobjects/${object}/${key}`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ allOrNone: false, records: records.map((r) => ({ attributes: { type: object }, ...r })) }),
  });
  assert.equal(results.length, 200);
  assert.equal(results[0].created, false);
  assert.equal(results[0].id, id);
  assert.ok(results.slice(1).every((r) => r.created));
  return ids(results);
});

await step("collections: one bad record fails alone", async () => {
  const results = await conn.sobject(object).create([message(), message({ Status__c: "x".repeat(300) }), message()]);
  assert.deepEqual(results.map((r) => r.success), [true, false, true]);
  many.push(results[0].id, results[2].id);
});

await step("collections: insert 200 more, update, and read all by queryMore", async () => {
  const made = ids(await conn.sobject(object).create(Array.from({ length: 200 }, () => message())));
  many.push(...made);
  ids(await conn.sobject(object).update(made.map((Id) => ({ Id, Status__c: "delivered" }))));
  let page = await conn.query(`SELECT Id, Status__c FROM ${object} ORDER BY Id`, { headers: { "Sforce-Query-Options": "batchSize=200" } });
  assert.equal(page.done, false);
  const total = page.totalSize;
  const seen = new Map();
  for (;;) {
    for (const r of page.records) seen.set(r.Id, r.Status__c);
    if (page.done) break;
    page = await conn.queryMore(page.nextRecordsUrl);
  }
  assert.equal(seen.size, total);
  for (const Id of made) assert.equal(seen.get(Id), "delivered");
});

await step("Bulk API 2.0: a query job read page by page", async () => {
  const stream = await conn.bulk2.query(`SELECT Id, Status__c, Body__c FROM ${object} WHERE Id != null`, { pollInterval: 50 });
  const rows = await stream.toArray();
  assert.ok(rows.length >= many.length);
  const found = rows.find((r) => r.Id === id);
  assert.equal(found.Status__c, "delivered");
  await assert.rejects(conn.bulk2.query(`SELECT COUNT(Id) FROM ${object}`), /not supported in Bulk Query/);
});

await step("collections: delete", async () => {
  for (let i = 0; i < many.length; i += 200) ids(await conn.sobject(object).destroy(many.slice(i, i + 200)));
  const left = await conn.query(`SELECT COUNT() FROM ${object} WHERE ${key} = '${external}'`);
  assert.equal(left.totalSize, 0);
});

await step("limits", async () => {
  const limits = await conn.limits();
  assert.ok(limits.DailyApiRequests.Max > 0);
  assert.ok(limits.DailyApiRequests.Remaining < limits.DailyApiRequests.Max);
});

await step("an unknown field: INVALID_FIELD; a broken query: MALFORMED_QUERY", async () => {
  await assert.rejects(conn.query(`SELECT Nonsense__c FROM ${object}`), (e) => e.errorCode === "INVALID_FIELD");
  await assert.rejects(conn.query("SELECT FROM WHERE"), (e) => e.errorCode === "MALFORMED_QUERY");
});

await step("a revoked session: INVALID_SESSION_ID", async () => {
  const c = new jsforce.Connection({ instanceUrl: conn.instanceUrl, accessToken: "00D!nonsense", version: API });
  await assert.rejects(c.query("SELECT Id FROM User"), (e) => e.errorCode === "INVALID_SESSION_ID");
});

finish(`jsforce ${version}`);
