//go:build azure || stores

package blobs

import _ "gocloud.dev/blob/azureblob" // azblob://
