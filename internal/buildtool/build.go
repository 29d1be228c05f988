package buildtool

import (
	"fmt"
	"os"
	"path/filepath"
)

// wasmEnv asks go for the page's platform.
var wasmEnv = []string{"GOOS=js", "GOARCH=wasm"}

// Build makes the engine and its loader in web/gen, then bin/oniscope, which
// embeds them.
func Build() error {
	if err := buildEngine(); err != nil {
		return err
	}
	return run("go", "build", "-trimpath", "-o", binary(), "./recorder")
}

func buildEngine() error {
	dir, err := root()
	if err != nil {
		return err
	}
	engine := command{name: "go", env: wasmEnv,
		args: []string{"build", "-trimpath", "-ldflags=-s -w", "-o", "web/gen/oniscope.wasm", "./wasm"}}
	if err := engine.run(); err != nil {
		return err
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
	return os.WriteFile(filepath.Join(dir, "web", "gen", "wasm_exec.js"), loader, 0o644)
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
