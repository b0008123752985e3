package blobs

import (
	"context"
	"crypto/md5" //nolint:gosec // it is what stores acknowledge a put by
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/memblob" // mem://
	"gocloud.dev/gcerrors"

	"github.com/twiliosf/twiliosf/sync/archive"
	"github.com/twiliosf/twiliosf/sync/fault"
)

// Bucket is a target of the archive.
type Bucket struct {
	bucket *blob.Bucket
	root   string // of a folder; "" for an object store
}

var _ archive.Target = (*Bucket)(nil)

// Open opens a target by its URL: file:///absolute/folder, s3://bucket?region=...,
// azblob://container, mem://. It calls nobody, and makes no folder.
// https://gocloud.dev/howto/blob/
func Open(ctx context.Context, target string) (*Bucket, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, errors.New("blobs: the target is no URL") // the cause would repeat it, and it may hold a key
	}
	if u.Scheme != "file" {
		if tag, known := tags[u.Scheme]; known && !blob.DefaultURLMux().ValidBucketScheme(u.Scheme) {
			return nil, fmt.Errorf("blobs: this build does not reach %s://: make one that does with make build TAGS=%s (or TAGS=stores for all)", u.Scheme, tag)
		}
		bucket, err := blob.OpenBucket(ctx, target)
		if err != nil {
			return nil, fmt.Errorf("blobs: a target of %s:// cannot be opened: %w", u.Scheme, err)
		}
		return &Bucket{bucket: bucket}, nil
	}
	if u.Host != "" || !filepath.IsAbs(u.Path) || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("blobs: a folder is file:// and an absolute path, such as file:///var/lib/twiliosf/archive")
	}
	return &Bucket{root: filepath.Clean(u.Path)}, nil
}

// tags are what a build needs for a store. Their libraries cost 3 to 13 MiB of resident
// memory each, used or not, and most archives are folders.
var tags = map[string]string{"s3": "s3", "azblob": "azure", "gs": "gcs"}

// opened is the bucket. A folder is made when it is first used: a wrong
// configuration of another daemon leaves no traces.
func (b *Bucket) opened() (*blob.Bucket, error) {
	if b.bucket != nil {
		return b.bucket, nil
	}
	bucket, err := fileblob.OpenBucket(b.root, &fileblob.Options{
		CreateDir: true, DirFileMode: 0o700, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, b.classed("open", "", err)
	}
	return bucket, nil
}

// Close gives connections up.
func (b *Bucket) Close() error {
	if b.bucket == nil {
		return nil
	}
	return b.bucket.Close()
}

// Put implements archive.Target. A store compares what has come with the sum that
// it is given; a folder's file is synced, and the folders on the way to it.
func (b *Bucket) Put(ctx context.Context, name string, data []byte) error {
	bucket, err := b.opened()
	if err != nil {
		return err
	}
	sum := md5.Sum(data) //nolint:gosec // see above
	if err := bucket.WriteAll(ctx, name, data, &blob.WriterOptions{ContentMD5: sum[:], ContentType: contentType(name)}); err != nil {
		return b.classed("write", name, err)
	}
	if b.root == "" {
		return nil
	}
	if err := syncFile(b.root, name); err != nil {
		return b.classed("write", name, err)
	}
	return nil
}

func contentType(name string) string {
	if strings.HasSuffix(name, ".json") {
		return "application/json"
	}
	return "application/vnd.apache.parquet"
}

// Get implements archive.Target.
func (b *Bucket) Get(ctx context.Context, name string) ([]byte, error) {
	bucket, err := b.opened()
	if err != nil {
		return nil, err
	}
	data, err := bucket.ReadAll(ctx, name)
	switch {
	case gcerrors.Code(err) == gcerrors.NotFound:
		return nil, archive.ErrNoFile
	case err != nil:
		return nil, b.classed("read", name, err)
	default:
		return data, nil
	}
}

// List implements archive.Target.
func (b *Bucket) List(ctx context.Context, prefix string) ([]string, error) {
	bucket, err := b.opened()
	if err != nil {
		return nil, err
	}
	var names []string
	for all := bucket.List(&blob.ListOptions{Prefix: prefix}); ; {
		o, err := all.Next(ctx)
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names, nil
		}
		if err != nil {
			return nil, b.classed("list", prefix, err)
		}
		names = append(names, o.Key)
	}
}

// Remove implements archive.Target.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	bucket, err := b.opened()
	if err != nil {
		return err
	}
	if err := bucket.Delete(ctx, name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return b.classed("remove", name, err)
	}
	return nil
}

// classed tells what may pass from what an operator must put right. Names of
// files hold months and runs, nothing of anybody's.
func (b *Bucket) classed(what, name string, err error) error {
	f := fault.New(fault.Transient, "archive "+what, fmt.Errorf("%s: %w", name, err))
	f.Condition, f.Hint = "archive-target", "See that archive.to is there, has room, and may be written by the daemon."
	if c := gcerrors.Code(err); c == gcerrors.PermissionDenied {
		f.Class = fault.Auth
	}
	return f
}
