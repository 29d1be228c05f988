package messages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// What a file is that is no Arrow file. People get such files under the name of a
// recording from repositories, web servers, archives and other programs, and the
// first bytes distinguish them. The words say what it is and what to do.

// ErrNotArrow is why a file cannot be walked that is something else. What it is
// follows.
var ErrNotArrow = errors.New("not an Arrow file")

// magics are first bytes, longest first where one begins another.
var magics = []struct {
	at    int
	bytes string
	words string
}{
	{0, "FEA1", "Feather version 1 (FEA1), as MATLAB and old R packages write it: convert it, in Python with pyarrow.feather.write_feather(pyarrow.feather.read_table(\"old\"), \"new.arrow\", compression=\"uncompressed\"), in R with arrow::write_feather(arrow::read_feather(\"old\"), \"new.arrow\")"},
	{0, "PAR1", "Parquet: read it with pyarrow, DuckDB or Spark; pyarrow.parquet.read_table and pyarrow.feather.write_feather make an Arrow file of it"},
	{0, "PARE", "encrypted Parquet: read it with pyarrow, with its keys"},
	{0, "\x1f\x8b", "gzip: unpack it first (gunzip)"},
	{0, "\x28\xb5\x2f\xfd", "zstd as a whole: unpack it first (unzstd); a recording with zstd has it inside"},
	{0, "\x04\x22\x4d\x18", "LZ4 as a whole: unpack it first (unlz4); a recording with LZ4 has it inside"},
	{0, "PK\x03\x04", "a zip archive: unpack it first (unzip)"},
	{0, "PK\x05\x06", "a zip archive with nothing in it"},
	{0, "PK\x07\x08", "a zip archive in parts: unpack it first"},
	{0, "BZh", "bzip2: unpack it first (bunzip2)"},
	{0, "\xfd7zXZ\x00", "xz: unpack it first (unxz)"},
	{0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"},
	{0, "Rar!", "a RAR archive: unpack it first"},
	{257, "ustar", "a tar archive: unpack it first (tar -xf)"},
	{0, "\x89HDF\r\n\x1a\n", "HDF5, as NWB and MATLAB 7.3 files are: open it with h5py or MATLAB"},
	{512, "\x89HDF\r\n\x1a\n", "HDF5, as NWB and MATLAB 7.3 files are: open it with h5py or MATLAB"},
	{0, "MATLAB", "a MATLAB file: load it in MATLAB, or with scipy.io.loadmat"},
	{0, "CDF\x01", "NetCDF: open it with netCDF4 or xarray"},
	{0, "CDF\x02", "NetCDF: open it with netCDF4 or xarray"},
	{0, "\x93NUMPY", "a NumPy array: numpy.load reads it"},
	{0, "ORC", "ORC: pyarrow.orc.read_table reads it"},
	{0, "Obj\x01", "Avro"},
	{0, "SQLite format 3\x00", "an SQLite database"},
	{8, "DUCK", "a DuckDB database"},
	{0, "%PDF", "a PDF document"},
	{0, "\x89PNG\r\n", "a PNG picture"},
	{0, "\xff\xd8\xff", "a JPEG picture"},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of Microsoft Office"},
	{0, "\x00\x05\x16\x07", "what macOS keeps next to a file (AppleDouble): open the file whose name lacks the ._ at its beginning"},
	{0, "\x4c\x00\x00\x00\x01\x14\x02\x00", "a shortcut of Windows: open the file that it points to"},
	{0, "bplist00", "a property list of macOS, as iCloud keeps one in place of a file that it has not fetched: fetch the file first"},
	{0, "RIFF", "sound or video (WAV, AVI)"},
	{4, "ftyp", "video (MP4)"},
	{0, "\x1a\x45\xdf\xa3", "video (Matroska)"},
	{0, "II*\x00", "a TIFF picture"},
	{0, "MM\x00*", "a TIFF picture"},
	{0, "\x7fELF", "a program"},
	{0, "MZ", "a program of Windows"},
	{0, "TDSm", "TDMS of LabVIEW: read it with npTDMS"},
	{0, "\x02\x27\x91\xc6", "an Intan RHD file: read it with Neo or SpikeInterface"},
	{0, "\xac\x27\x91\xd6", "an Intan RHS file: read it with Neo or SpikeInterface"},
	{0, "NEURALEV", "a Blackrock file: read it with Neo"},
	{0, "NEURALCD", "a Blackrock file: read it with Neo"},
	{0, "BRSMPGRP", "a Blackrock file: read it with Neo"},
	{0, "######## Neuralynx", "a Neuralynx file: read it with Neo"},
	{0, "\xffBIOSEMI", "a BDF file: read it with MNE"},
}

// isArchive reports whether a file is an archive that may have others inside unchanged.
func isArchive(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || len(head) > 262 && string(head[257:262]) == "ustar"
}

// whatIs is the error about a file that is no Arrow file, by its first bytes.
func whatIs(src *Source, head []byte) error {
	words, err := foreignWords(src, head)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", ErrNotArrow, words)
}

func foreignWords(src *Source, head []byte) (string, error) {
	if words := pointerWords(head); words != "" {
		return "it is " + words, nil
	}
	for i := range magics {
		m := &magics[i]
		if m.at <= len(head) && bytes.HasPrefix(head[m.at:], []byte(m.bytes)) {
			return "it is " + m.words, nil
		}
	}
	if text, ok := readableText(head, int64(len(head)) < src.Size); ok {
		return "it is " + textWords(text), nil
	}
	if !allZero(head) {
		return fmt.Sprintf("it begins with the bytes % x, and no message of Arrow is found in it", head[:min(len(head), 8)]), nil
	}
	end, err := zerosEnd(src)
	if err != nil {
		return "", err
	}
	if end == src.Size {
		return fmt.Sprintf("only zeros, %s bytes: nothing reached the disk. Look for a copy made by another program or on another disk", Grouped(src.Size)), nil
	}
	return fmt.Sprintf("it begins with %s zeros, and no message of Arrow is found in it", Grouped(end)), nil
}

// zerosEnd returns where the zeros at the beginning end.
func zerosEnd(src *Source) (int64, error) {
	buf := make([]byte, min(1<<20, src.Size))
	for at := int64(0); at < src.Size; {
		p := buf[:min(int64(len(buf)), src.Size-at)]
		if err := src.ReadAt(p, at); err != nil {
			return 0, err
		}
		if rest := bytes.TrimLeft(p, "\x00"); len(rest) > 0 {
			return at + int64(len(p)-len(rest)), nil
		}
		at += int64(len(p))
		if err := src.step(at); err != nil {
			return 0, err
		}
	}
	return src.Size, nil
}

// between returns what is between two marks, and whether both are there.
func between(text, begin, end string) (string, bool) {
	_, rest, ok := strings.Cut(text, begin)
	inside, _, closed := strings.Cut(rest, end)
	return inside, ok && closed
}

// maxTitle is how much of a page's title is shown, in letters.
const maxTitle = 80

// titleOf is the title of a web page, "" if it has none; lower is the page in
// lower case.
func titleOf(page, lower string) string {
	if len(lower) != len(page) {
		page = lower // letters whose lower case is of another length
	}
	at := strings.Index(lower, "<title")
	if at < 0 {
		return ""
	}
	inside, ok := between(page[at:], ">", "<")
	if !ok {
		return ""
	}
	words := []rune(strings.Join(strings.Fields(inside), " "))
	return string(words[:min(len(words), maxTitle)])
}

// elementOf is the name of the first element of XML, after its declaration.
func elementOf(text string) string {
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			return ""
		}
		end := strings.IndexFunc(after, func(r rune) bool {
			return !(r == '_' || r == ':' || r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
		})
		if name := after[:max(0, end)]; name != "" && (name[0]|0x20) >= 'a' && (name[0]|0x20) <= 'z' {
			return name
		}
		rest = after
	}
}

// pointerWords describes texts that are there instead of a file.
func pointerWords(head []byte) string {
	text := string(head)
	switch {
	case strings.HasPrefix(text, "version https://git-lfs"):
		size := "a file"
		if digits, ok := between(text+"\n", "\nsize ", "\n"); ok {
			if n, err := strconv.ParseInt(strings.TrimSuffix(digits, "\r"), 10, 64); err == nil {
				size = Grouped(n) + " bytes"
			}
		}
		return "a Git LFS pointer of " + size + ": fetch them with git lfs pull"
	case strings.Contains(text, "annex/objects/"):
		return "a git-annex pointer: fetch the file with git annex get"
	}
	return ""
}

// readableText returns the first bytes of a file as text, if they are some. Those
// at the end of what was read may be cut.
func readableText(head []byte, cut bool) (string, bool) {
	p := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if n := len(p) &^ 1; n >= 4 && (p[0] == 0xff && p[1] == 0xfe || p[0] == 0xfe && p[1] == 0xff) {
		order := binary.ByteOrder(binary.LittleEndian)
		if p[0] == 0xfe {
			order = binary.BigEndian
		}
		var units []uint16
		for i := 2; i < n; i += 2 {
			units = append(units, order.Uint16(p[i:]))
		}
		p = []byte(string(utf16.Decode(units)))
	}
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size == 1 {
			if cut && len(p)-i < utf8.UTFMax {
				break
			}
			return "", false
		}
		if unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\f\x1b", r) {
			return "", false
		}
		i += size
	}
	return string(p), len(p) > 0
}

// textWords says what kind of text it is.
func textWords(text string) string {
	trimmed := strings.TrimSpace(text)
	lower := strings.ToLower(trimmed)
	switch {
	case strings.HasPrefix(lower, "<!doctype html"), strings.HasPrefix(lower, "<html"), strings.HasPrefix(lower, "<head"), strings.HasPrefix(lower, "<!--") && strings.Contains(lower, "<html"):
		title := ""
		if words := titleOf(trimmed, lower); words != "" {
			title = " (" + strconv.Quote(words) + ")"
		}
		return "a web page" + title + ", not the file: open the address in a browser, sign in if it asks for it, and download again"
	case strings.HasPrefix(lower, "<") && strings.Contains(lower, "<plist") && strings.Contains(lower, "<key>url</key>"):
		return "a link to an address (webloc), not the file: download what is there"
	case strings.HasPrefix(lower, "<"):
		element := ""
		if name := elementOf(trimmed); name != "" {
			element = " (" + name + ")"
		}
		return "XML" + element + ", as servers answer that refuse a file: look into it with a text editor"
	case isJSON(trimmed):
		return "JSON: " + beginning(trimmed)
	case strings.HasPrefix(lower, "[internetshortcut]"), strings.HasPrefix(lower, "[desktop entry]"):
		to := ""
		if address, ok := between(lower+"\n", "\nurl=", "\n"); ok {
			at := strings.Index(lower, "\nurl=") + len("\nurl=")
			to = " (" + strings.TrimSpace(trimmed[at:min(len(trimmed), at+len(address))]) + ")"
		}
		return "a link to an address" + to + ", not the file: download what is there"
	case trimmed == "":
		return "text, of nothing but spaces and line ends"
	}
	return "text: " + beginning(trimmed)
}

// isJSON reports whether a text begins as JSON does; a name in brackets is of another kind
// of file.
func isJSON(text string) bool {
	if list, ok := strings.CutPrefix(text, "["); ok {
		list = strings.TrimLeft(list, " \t\r\n[")
		return list == "" || strings.ContainsAny(list[:1], "{\"]-0123456789") || strings.HasPrefix(list, "null") || strings.HasPrefix(list, "true") || strings.HasPrefix(list, "false")
	}
	return strings.HasPrefix(text, "{")
}

// beginning quotes the first line of a text, cut short.
func beginning(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimSpace(line)
	const most = 60
	if r := []rune(line); len(r) > most {
		line = string(r[:most]) + "..."
	}
	return strconv.Quote(line)
}
