// Steps that print one line each, and end the process with the first that fails.
import { readFileSync } from "node:fs";

// sandbox is what `twiliosf sandbox --json` printed: its first line.
export const sandbox = JSON.parse(readFileSync(process.argv[2], "utf8").split("\n", 1)[0]);

const started = Date.now();
let done = 0;

// step runs one exchange.
export async function step(name, fn) {
  try {
    const result = await fn();
    done++;
    console.log(`ok    ${name}`);
    return result;
  } catch (err) {
    console.error(`FAIL  ${name}\n${err?.stack ?? err}`);
    process.exit(1);
  }
}

// finish says how many steps a client has passed.
export function finish(client) {
  console.log(`${client}: ${done} steps in ${Date.now() - started} ms`);
}
