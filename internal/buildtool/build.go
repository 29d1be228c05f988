package buildtool

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// wasmEnv asks go for the page's platform.
var wasmEnv = []string{"GOOS=js", "GOARCH=wasm"}

// lightFlags make the binary light; docs/weight.md says what each saves. There
// is no DWARF: traces need the symbol table only. gRPC, which comes with Parquet
// and is never called, would keep every method of every type for its traces.
// What arrow-go computes is not inlined: it is used for rare types of Parquet.
var lightFlags = []string{"-ldflags=-w", "-tags=grpcnotrace,arrow_json_stdlib", "-gcflags=github.com/apache/arrow-go/v18/arrow/compute/...=-l"}

// lightEngine keeps the engine small: these packages handle messages and words,
// never samples. docs/weight.md has what each thing saves.
var lightEngine = []string{"-gcflags=encoding/json=-l", "-gcflags=math/big=-l", "-gcflags=time=-l", "-gcflags=reflect=-l",
	"-gcflags=fmt=-l", "-gcflags=os=-l", "-gcflags=strconv=-l", "-gcflags=strings=-l", "-gcflags=internal/strconv=-l",
	"-gcflags=github.com/oniscope/oniscope/shared/stream=-l", "-gcflags=github.com/oniscope/oniscope/shared/recovery=-l",
	"-gcflags=github.com/oniscope/oniscope/shared/internal/messages=-l", "-gcflags=github.com/oniscope/oniscope/shared/internal/arrowipc=-l",
	"-gcflags=path=-l", "-gcflags=sync=-l", "-gcflags=github.com/oniscope/oniscope/shared/internal/pace=-l",
	"-gcflags=github.com/oniscope/oniscope/wasm=-l", "-gcflags=syscall/js=-l", "-gcflags=github.com/oniscope/oniscope/shared/recording=-l"}

// Build makes the engine and its loader in web/gen, then bin/oniscope, which
// embeds them.
func Build() error {
	if err := buildEngines(); err != nil {
		return err
	}
	if err := buildKernels(os.Stdout); err != nil {
		return err
	}
	if err := weighPage(os.Stdout); err != nil {
		return err
	}
	args := append([]string{"build", "-trimpath", "-o", binary()}, lightFlags...)
	if err := run("go", append(args, "./recorder")...); err != nil {
		return err
	}
	return weighBinary(os.Stdout, binary())
}

// The page's engines: the first draws, the second does what takes long and is
// loaded when it is asked for. The tag leaves out what the other does.
var engines = []struct{ file, tag string }{{"oniscope.wasm", "first"}, {"second.wasm", "second"}}

func buildEngines() error {
	dir, err := root()
	if err != nil {
		return err
	}
	if err := makeLean(dir); err != nil {
		return err
	}
	for _, e := range engines {
		if err := buildEngine(dir, e.file, e.tag); err != nil {
			return err
		}
	}
	lib, err := wasmLib()
	if err != nil {
		return err
	}
	loader, err := os.ReadFile(filepath.Join(lib, "wasm_exec.js"))
	if err != nil {
		return fmt.Errorf("the loader of Go's WebAssembly: %w", err)
	}
	// tsc follows the worker's import; Go's own file is not ours to type.
	loader = append([]byte("// @ts-nocheck\n"), loader...)
	_, err = writePacked(dir, "wasm_exec.js", loader)
	return err
}

func buildEngine(dir, name, tag string) error {
	temporary, err := os.MkdirTemp("", "oniscope-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	file := filepath.Join(temporary, name) // with the names of functions
	engine := command{name: "go", env: wasmEnv, args: slices.Concat([]string{"build", leanFlag, "-trimpath", "-ldflags=-w", "-tags=" + tag}, lightEngine, []string{"-o", file, "./wasm"})}
	if err := engine.run(); err != nil {
		return err
	}
	named, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	packages, err := command{name: "go", env: wasmEnv, args: []string{"list", leanFlag, "-deps", "-tags=" + tag, "./wasm"}}.output()
	if err != nil {
		return err
	}
	if err := withoutCryptography(strings.Fields(packages)); err != nil {
		return err
	}
	code, err := readModule(named, append(strings.Fields(packages), "main"))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	packed, err := writePacked(dir, name, code.stripped)
	if err != nil {
		return err
	}
	code.printTo(os.Stdout, name, packed)
	return nil
}

// writePacked writes a file of web/gen, and of web/packed for the binary, and
// returns how many bytes the latter has.
func writePacked(dir, name string, data []byte) (int, error) {
	if err := os.WriteFile(filepath.Join(dir, "web", "gen", name), data, 0o644); err != nil {
		return 0, err
	}
	packed, err := pack(data)
	if err != nil {
		return 0, err
	}
	return len(packed), os.WriteFile(filepath.Join(dir, "web", "packed", name+".gz"), packed, 0o644)
}

func pack(data []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// wasmLib is the folder of the toolchain with wasm_exec.js and the script that
// runs WebAssembly tests under Node.
func wasmLib() (string, error) {
	goroot, err := output("go", "env", "GOROOT")
	if err != nil {
		return "", err
	}
	return filepath.Join(goroot, "lib", "wasm"), nil
}

// binary is the path of the recorder's binary, relative to the root.
func binary() string {
	if os.PathSeparator == '\\' {
		return `bin\oniscope.exe`
	}
	return "bin/oniscope"
}
