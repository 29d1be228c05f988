package buildtool

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// assemble has wabt, which package.json pins, make WebAssembly of text.
const assemble = `const [from, to] = process.argv.slice(1);
require("wabt")().then((wabt) => {
  const fs = require("fs"), module = wabt.parseWat(from, fs.readFileSync(from, "utf8"), { simd: true });
  module.validate();
  fs.writeFileSync(to, module.toBinary({}).buffer);
}).catch((error) => { console.error(error.message); process.exit(1); });`

// ensureModule installs what web/package.json lists, if a module of it is missing.
func ensureModule(dir, name string) error {
	if _, err := os.Stat(filepath.Join(dir, "web", "node_modules", name)); err == nil {
		return nil
	}
	return command{name: "npm", dir: "web", args: []string{"ci", "--no-audit", "--no-fund"}}.run()
}

// buildKernels makes web/gen/NAME.wasm of each wasm/kernel/NAME.wat. Without npm
// the page has none, and Go does their work, slower.
func buildKernels(w io.Writer) error {
	dir, err := root()
	if err != nil {
		return err
	}
	sources, err := filepath.Glob(filepath.Join(dir, "wasm", "kernel", "*.wat"))
	if err != nil {
		return err
	}
	if _, err := exec.LookPath("npm"); err != nil {
		fmt.Fprintln(w, "no npm: the page is built without SIMD (Debian: apt-get install nodejs npm)")
		return nil
	}
	if err := ensureModule(dir, "wabt"); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "oniscope-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	for _, source := range sources {
		name := strings.TrimSuffix(filepath.Base(source), ".wat") + ".wasm"
		made := filepath.Join(temporary, name)
		if err := (command{name: "node", dir: "web", args: []string{"-e", assemble, source, made}}).run(); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
		code, err := os.ReadFile(made)
		if err != nil {
			return err
		}
		if _, err := writePacked(dir, name, code); err != nil {
			return err
		}
	}
	return nil
}
