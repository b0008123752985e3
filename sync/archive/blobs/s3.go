//go:build s3 || stores

package blobs

import _ "gocloud.dev/blob/s3blob" // s3://
