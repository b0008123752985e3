//go:build gcs || stores

package blobs

import _ "gocloud.dev/blob/gcsblob" // gs://
