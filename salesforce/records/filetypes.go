package records

import (
	"mime"
	"strings"
)

// extensions are the endings of the types that Twilio carries. The system's own
// table differs from machine to machine.
// https://www.twilio.com/docs/messaging/guides/accepted-mime-types
var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/jpg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/bmp": ".bmp",
	"image/tiff": ".tiff", "image/heic": ".heic", "image/heif": ".heif", "image/svg+xml": ".svg",
	"video/mp4": ".mp4", "video/mpeg": ".mpeg", "video/quicktime": ".mov", "video/webm": ".webm", "video/3gpp": ".3gp", "video/3gpp2": ".3g2",
	"video/3gpp-tt": ".3gp", "video/h261": ".h261", "video/h263": ".h263", "video/h264": ".h264",
	"audio/basic": ".au", "audio/l24": ".l24", "audio/mp4": ".m4a", "audio/mpeg": ".mp3", "audio/ogg": ".ogg", "audio/vorbis": ".ogg",
	"audio/webm": ".webm", "audio/ac3": ".ac3", "audio/amr": ".amr", "audio/amr-nb": ".amr", "audio/3gpp": ".3gp", "audio/3gpp2": ".3g2",
	"audio/aac": ".aac", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/vnd.wave": ".wav",
	"text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/directory": ".vcf", "text/csv": ".csv", "text/rtf": ".rtf", "text/richtext": ".rtx",
	"text/calendar": ".ics", "text/plain": ".txt",
	"application/pdf": ".pdf", "application/vcard": ".vcf", "application/rtf": ".rtf", "application/zip": ".zip",
	"application/msword": ".doc", "application/vnd.ms-excel": ".xls", "application/vnd.ms-powerpoint": ".ppt",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   ".docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         ".xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}

// extension is the ending of a file's name, "" for a type that is not known.
func extension(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(contentType, ";")
	}
	return extensions[strings.ToLower(strings.TrimSpace(kind))]
}
