//go:build (linux || darwin || windows) && (amd64 || arm64)

package liboni

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
)

// A library is liboni, loaded. It stays loaded for the life of the process.
type library struct {
	path    string // the file, as far as the system says
	version [3]int32

	createCtx, initCtx, destroyCtx uintptr
	getOpt, setOpt                 uintptr
	readReg, writeReg              uintptr
	readFrame, destroyFrame        uintptr

	// What recording does not need; 0 where a library lacks it.
	createFrame, writeFrame    uintptr
	getDriverOpt, setDriverOpt uintptr
	driverInfo                 uintptr
	deviceName, hubName        uintptr
}

// major is the version of the interface that is described in onix-devices 1.
const major = 4

// bind finds the functions of a library that was just opened.
func bind(handle uintptr, path string) (*library, error) {
	l := &library{path: path}
	var version uintptr
	for name, to := range map[string]*uintptr{
		"oni_version":    &version,
		"oni_create_ctx": &l.createCtx, "oni_init_ctx": &l.initCtx, "oni_destroy_ctx": &l.destroyCtx,
		"oni_get_opt": &l.getOpt, "oni_set_opt": &l.setOpt,
		"oni_read_reg": &l.readReg, "oni_write_reg": &l.writeReg,
		"oni_read_frame": &l.readFrame, "oni_destroy_frame": &l.destroyFrame,
	} {
		var err error
		if *to, err = symbol(handle, name); err != nil {
			return nil, fmt.Errorf("it lacks the function %s, so it is not liboni %d", name, major)
		}
	}
	for name, to := range map[string]*uintptr{
		"oni_create_frame": &l.createFrame, "oni_write_frame": &l.writeFrame,
		"oni_get_driver_opt": &l.getDriverOpt, "oni_set_driver_opt": &l.setDriverOpt,
		"oni_get_driver_info": &l.driverInfo,
		"onix_device_str":     &l.deviceName, "onix_hub_str": &l.hubName,
	} {
		*to, _ = symbol(handle, name)
	}
	cells := new([3]int32)
	purego.SyscallN(version, uintptr(unsafe.Pointer(&cells[0])), uintptr(unsafe.Pointer(&cells[1])), uintptr(unsafe.Pointer(&cells[2])))
	l.version = *cells
	if l.version[0] != major {
		return nil, fmt.Errorf("it is version %s, want %d.x", l.versionText(), major)
	}
	if file := fileOf(l.readFrame); file != "" {
		l.path = file
	}
	return l, nil
}

func (l *library) versionText() string {
	return fmt.Sprintf("%d.%d.%d", l.version[0], l.version[1], l.version[2])
}

// A cDevice is oni_device_t; onix-devices 1.3.
type cDevice struct{ idx, id, version, readSize, writeSize uint32 }

// A cFrame is oni_frame_t; onix-devices 1.3.
type cFrame struct {
	time   uint64
	idx    uint32
	length uint32
	data   *byte
}

// A cDriverInfo is oni_driver_info_t; onix-devices 1.3.
type cDriverInfo struct {
	_                   *byte // its name
	major, minor, patch int32
	preRelease          *byte
}

// cString returns text with the NUL that C wants. It is on the heap.
func cString(text string) []byte { return append([]byte(text), 0) }

// maxText bounds a text of the library.
const maxText = 4096

// goString copies a text of C; "" for no text.
func goString(p *byte) string {
	if p == nil {
		return ""
	}
	n := 0
	for n < maxText && *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}

// pointer makes a pointer of an address that C returned.
func pointer[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// info asks what the driver of a context says of itself.
func (l *library) info(ctx uintptr) (version string) {
	if l.driverInfo == 0 {
		return ""
	}
	address, _, _ := purego.SyscallN(l.driverInfo, ctx)
	d := pointer[cDriverInfo](address)
	if d == nil {
		return ""
	}
	version = fmt.Sprintf("%d.%d.%d", d.major, d.minor, d.patch)
	if pre := goString(d.preRelease); pre != "" {
		version += "-" + pre
	}
	return version
}

// name asks one of the library's tables of names. Numbers are C ints.
func (l *library) name(table uintptr, id uint32) string {
	if table == 0 || id > 1<<31-1 {
		return ""
	}
	address, _, _ := purego.SyscallN(table, uintptr(id))
	return goString(pointer[byte](address))
}
