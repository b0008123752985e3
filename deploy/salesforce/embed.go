// Package metadata holds the Salesforce metadata that TwilioSF needs in an org, as
// SFDX source: sfdx-project.json beside force-app/main/default. It can be deployed
// with Salesforce's own command line from this directory as it is, and it is the
// schema of the emulated org.
//
// Layout: https://developer.salesforce.com/docs/atlas.en-us.sfdx_dev.meta/sfdx_dev/sfdx_dev_source_file_format.htm
package metadata

import "embed"

// FS is the source tree, with sfdx-project.json at its root.
//
//go:embed sfdx-project.json force-app
var FS embed.FS
