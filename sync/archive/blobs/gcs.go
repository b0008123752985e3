//go:build gcs

package blobs

import _ "gocloud.dev/blob/gcsblob" // gs://
