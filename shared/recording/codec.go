package recording

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// A Codec is how the buffers of a file that we write are compressed.
type Codec uint8

// The codecs that we write. Keep leaves each batch as it is in the file that
// it comes from: batches taken whole are copied byte for byte.
const (
	None Codec = iota
	Zstd
	LZ4
	Keep
)

var codecNames = [...]string{None: "none", Zstd: "zstd", LZ4: "lz4", Keep: "keep"}

// String returns the name of `info --json` and `--compression`.
func (c Codec) String() string {
	if int(c) < len(codecNames) {
		return codecNames[c]
	}
	return fmt.Sprintf("codec %d", c)
}

// ParseCodec returns the codec of a name: keep, none, zstd or lz4.
func ParseCodec(name string) (Codec, error) {
	for c, n := range codecNames {
		if n == name {
			return Codec(c), nil
		}
	}
	return 0, fmt.Errorf("recording: compression %q is not known: possible are keep, none, zstd, lz4", name)
}

// ipc is the codec in the header of a batch.
func (c Codec) ipc() arrowipc.Codec {
	switch c {
	case Zstd:
		return arrowipc.Zstd
	case LZ4:
		return arrowipc.LZ4Frame
	}
	return arrowipc.Uncompressed
}

// codecOf is the codec of a batch by its header.
func codecOf(c arrowipc.Codec) Codec {
	switch c {
	case arrowipc.Zstd:
		return Zstd
	case arrowipc.LZ4Frame:
		return LZ4
	}
	return None
}
