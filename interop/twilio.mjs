// The official twilio client against the emulated account: list, page, fetch,
// and the errors that the daemon decides by.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import twilio from "twilio";
import { finish, sandbox, step } from "./steps.mjs";

const { version } = JSON.parse(readFileSync(new URL("./node_modules/twilio/package.json", import.meta.url)));

// Sandboxed sends what is meant for any Twilio host to the sandbox.
class Sandboxed extends twilio.RequestClient {
  request(opts) {
    const uri = new URL(opts.uri);
    return super.request({ ...opts, uri: sandbox.twilio.url + uri.pathname + uri.search });
  }
}

const { account_sid, auth_token, api_key_sid, api_key_secret } = sandbox.twilio;
const httpClient = new Sandboxed();
const byToken = twilio(account_sid, auth_token, { httpClient });
const byKey = twilio(api_key_sid, api_key_secret, { accountSid: account_sid, httpClient });

const from = await step("the account's numbers", async () => {
  const numbers = await byToken.incomingPhoneNumbers.list({ limit: 1 });
  assert.equal(numbers.length, 1);
  return numbers[0].phoneNumber;
});

const bodies = ["Hello", "Grüße aus Zürich", "こんにちは 👋🏽", 'quotes " \' and \\', "two\nlines", "x".repeat(1600), "a+b&c=d%20"];
const sent = await step("create messages, one of 1,600 characters", async () => {
  const made = [];
  for (const body of bodies) {
    made.push(await byKey.messages.create({ from, to: "+14155550142", body }));
  }
  for (const [i, m] of made.entries()) {
    assert.match(m.sid, /^SM[0-9a-f]{32}$/);
    assert.equal(m.body, bodies[i]);
    assert.ok(m.dateCreated instanceof Date && !Number.isNaN(m.dateCreated.valueOf()));
  }
  return made.map((m) => m.sid);
});

await step("list with a limit, over page borders", async () => {
  const some = await byKey.messages.list({ limit: 5, pageSize: 2 });
  assert.equal(some.length, 5);
  assert.equal(new Set(some.map((m) => m.sid)).size, 5);
});

await step("page by page, each message once", async () => {
  const seen = [];
  for (let page = await byKey.messages.page({ pageSize: 3 }); page; page = await page.nextPage()) {
    assert.ok(page.instances.length <= 3);
    seen.push(...page.instances.map((m) => m.sid));
  }
  for (const sid of sent) assert.equal(seen.filter((s) => s === sid).length, 1, sid);
});

await step("list by recipient and by day", async () => {
  const day = new Date().toISOString().slice(0, 10);
  const toOne = await byToken.messages.list({ to: "+14155550142", limit: 100 });
  assert.ok(sent.every((sid) => toOne.some((m) => m.sid === sid)));
  const longAgo = await byToken.messages.list({ dateSentBefore: new Date("2001-01-01T00:00:00Z"), limit: 5 });
  assert.equal(longAgo.length, 0);
  await byToken.messages.list({ dateSent: new Date(day), limit: 5 });
});

await step("fetch by SID", async () => {
  for (const [i, sid] of sent.entries()) {
    const m = await byKey.messages(sid).fetch();
    assert.equal(m.body, bodies[i]);
    assert.equal(m.to, "+14155550142");
    assert.equal(m.direction, "outbound-api");
  }
});

await step("fetch what does not exist: 20404", async () => {
  await assert.rejects(byKey.messages("SM" + "0".repeat(32)).fetch(), (e) => e.status === 404 && e.code === 20404);
});

await step("send to no number: 21211", async () => {
  await assert.rejects(byKey.messages.create({ from, to: "12", body: "x" }), (e) => e.status === 400 && e.code === 21211);
});

await step("a wrong token: 20003", async () => {
  const wrong = twilio(account_sid, "0".repeat(32), { httpClient });
  await assert.rejects(wrong.messages.list({ limit: 1 }), (e) => e.status === 401 && e.code === 20003);
});

finish(`twilio ${version}`);
