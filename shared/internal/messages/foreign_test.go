package messages

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"
)

// Whatever else a file is, its first bytes name it.
func TestWhatAFileIsNotIsNamed(t *testing.T) {
	utf16le := "\xff\xfe"
	for _, u := range utf16.Encode([]rune("Timestamp;Clock\r\n")) {
		utf16le += string([]byte{byte(u), byte(u >> 8)})
	}
	pad := strings.Repeat("\x11\x92", 400)
	for name, c := range map[string]struct{ file, words string }{
		"a pointer without a size":     {"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "a Git LFS pointer of a file"},
		"a pointer of git-annex":       {"/annex/objects/SHA256E-s100--abc.arrow\n", "git annex get"},
		"a page after a mark":          {"\xef\xbb\xbf\n  <HTML lang=en><title>\n Log\n in </title>", `a web page ("Log in")`},
		"an error of a store":          {`<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`, "XML (Error)"},
		"an answer in JSON":            {`{"message": "Not Found"}`, `JSON: "{\"message\": \"Not Found\"}"`},
		"a list in JSON":               {"[\n  {\"a\": 1}]", "JSON: "},
		"a list of numbers in JSON":    {"[1, 2]", "JSON: "},
		"a link of Windows":            {"[InternetShortcut]\r\nURL=https://example.org/Run/A.arrow\r\nIconIndex=0\r\n", "a link to an address (https://example.org/Run/A.arrow), not the file"},
		"a link of Linux":              {"[Desktop Entry]\nType=Link\nURL=https://example.org/a\n", "a link to an address (https://example.org/a)"},
		"a link without an address":    {"[InternetShortcut]\r\n", "a link to an address, not the file"},
		"a link of macOS":              {`<?xml version="1.0"?><plist version="1.0"><dict><key>URL</key><string>https://example.org</string></dict></plist>`, "a link to an address (webloc)"},
		"settings in sections":         {"[recording]\nrate=30000\n", `text: "[recording]"`},
		"what iCloud has not fetched":  {"bplist00" + pad, "iCloud"},
		"video":                        {"\x00\x00\x00\x20ftypisom" + pad, "video (MP4)"},
		"zstd":                         {"\x28\xb5\x2f\xfd" + pad, "zstd as a whole"},
		"lz4":                          {"\x04\x22\x4d\x18" + pad, "LZ4 as a whole"},
		"a zip archive":                {"PK\x03\x04" + pad, "a zip archive: unpack it first"},
		"xz":                           {"\xfd7zXZ\x00" + pad, "xz: unpack"},
		"a tar archive":                {strings.Repeat("\x01", 257) + "ustar\x0000" + pad, "a tar archive"},
		"HDF5":                         {"\x89HDF\r\n\x1a\n" + pad, "HDF5"},
		"MATLAB 7.3":                   {"MATLAB 7.3 MAT-file" + strings.Repeat(" ", 493) + "\x89HDF\r\n\x1a\n" + pad, "HDF5"},
		"MATLAB 5":                     {"MATLAB 5.0 MAT-file" + pad, "a MATLAB file"},
		"NumPy":                        {"\x93NUMPY\x01\x00" + pad, "a NumPy array"},
		"what macOS keeps":             {"\x00\x05\x16\x07\x00\x02\x00\x00" + pad, "AppleDouble"},
		"text in UTF-16":               {utf16le, `text: "Timestamp;Clock"`},
		"a table as text":              {"Clock,HubClock\r\n1,2\r\n", `text: "Clock,HubClock"`},
		"a long line of text":          {strings.Repeat("0123456789", 30), `text: "0123456789` + strings.Repeat("0123456789", 5) + `..."`},
		"zeros, and more after them":   {strings.Repeat("\x00", 5000) + pad, "it begins with 5 000 zeros, and no message of Arrow"},
		"nothing that is known":        {"\x01\x02\x03\x04\x05\x06\x07\xfe" + pad, "it begins with the bytes 01 02 03 04 05 06 07 fe"},
		"an Intan file":                {"\x02\x27\x91\xc6" + pad, "Intan RHD"},
		"text that is cut in a letter": {strings.Repeat("a", headBytes-1) + "µµµµ", `text: "aaa`},
	} {
		_, err := FindEnds(source([]byte(c.file)), &Options{})
		if !errors.Is(err, ErrNotArrow) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want %q", name, err, c.words)
		}
	}
}
