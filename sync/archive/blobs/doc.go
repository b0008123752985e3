// Package blobs keeps the archive's files: in a folder, or in whatever object
// store gocloud.dev/blob opens.
//
// Google Cloud Storage's own client is left out unless the build tag gcs is set,
// because it takes 13 MiB of memory at rest and 30 MB of the binary; its buckets
// are reached through their S3-compatible endpoint as well.
// https://cloud.google.com/storage/docs/interoperability
package blobs
