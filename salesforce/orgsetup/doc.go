// Package orgsetup compares an org with the metadata that we ship, deploys what is
// missing and opens it to the integration user. It deletes nothing, makes nothing
// smaller, and changes what is there already only where the daemon cannot work
// with it.
package orgsetup
