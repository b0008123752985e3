#!/bin/sh
# Prints docs/configuration.md: a preface and the table that the configuration's
# own code makes. `make docs` writes the file, `make docs-check` compares it.
set -eu
cd "$(dirname "$0")/.."

# The table first, so that a failure prints no half a document. The flags are
# those of `make build`, whose cached packages are used again.
table=$(CGO_ENABLED=0 "${GO:-go}" run -trimpath -buildvcs=false ./cmd/twiliosf config reference)

cat <<'END'
<!-- Made by docs/configuration.sh: change the table in config/, then `make docs`. -->

# Configuration

twiliosf reads one YAML file, by default `/etc/twiliosf/twiliosf.yaml` (`--config FILE` names another).

- `twiliosf config init` prints a file with every key explained; `deploy/systemd/twiliosf.yaml` is the same text.
- `twiliosf config check` reports every fault at once, each with its line and what to do.
  `twiliosf config check --print` shows the configuration in effect, without secrets. Neither calls Twilio or Salesforce.
- `twiliosf config schema` prints a JSON Schema for editors.

**Where a value comes from**, the strongest first: the environment variable in the table, the file, the default.
An empty variable counts as not set. `salesforce.objects` may be a mapping there too, on one line:
`{message: {object: X__c}}`.

**Durations** are numbers with units: `90s`, `15m`, `1h30m`, `30d`.

**Secrets** are given as the value (`api_key_secret`) or as a file that holds it (`api_key_secret_file`), not as both. A
relative path is below `$CREDENTIALS_DIRECTORY` where that is set, as systemd does for the packaged unit, and else beside
the configuration file.

**Reloading.** SIGHUP reads the file again. While it has faults the running configuration stays and `twiliosf status`
says why. `store` and `control` change only with a restart. Secrets that systemd loads are copied when the service starts:
after one has changed, restart.

**Surroundings.** `HTTPS_PROXY` and `NO_PROXY` are obeyed. Where `twilio.base_url` is empty, `TWILIO_REGION` and
`TWILIO_EDGE` choose Twilio's host.

## Keys

END
printf '%s\n' "$table"
