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

// unpackZstd takes the WebAssembly out of zstddec, which package.json pins: the
// decoder of zstd's own C sources, which the module has as text.
const unpackZstd = `const [from, to] = process.argv.slice(1), fs = require("fs");
const text = /^const wasm = "([A-Za-z0-9+/=]+)";$/m.exec(fs.readFileSync(from, "utf8"));
if (!text) throw new Error(from + ": no decoder in it");
const code = Buffer.from(text[1], "base64"), names = WebAssembly.Module.exports(new WebAssembly.Module(code)).map((e) => e.name);
for (const name of ["memory", "malloc", "free", "ZSTD_decompress", "ZSTD_isError"]) if (!names.includes(name)) throw new Error(from + ": no " + name);
fs.writeFileSync(to, code);`

// ensureModule installs what web/package.json lists, if a module of it is missing.
func ensureModule(dir, name string) error {
	if _, err := os.Stat(filepath.Join(dir, "web", "node_modules", name)); err == nil {
		return nil
	}
	return command{name: "npm", dir: "web", args: []string{"ci", "--no-audit", "--no-fund"}}.run()
}

// buildKernels makes web/gen/NAME.wasm of each wasm/kernel/NAME.wat, and takes
// zstd.wasm from npm. Without npm the page has none, and Go does their work, slower.
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
		fmt.Fprintln(w, "no npm: the page is built without SIMD and zstd in C (Debian: apt-get install nodejs npm)")
		return nil
	}
	for _, name := range []string{"wabt", "zstddec"} {
		if err := ensureModule(dir, name); err != nil {
			return err
		}
	}
	temporary, err := os.MkdirTemp("", "oniscope-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	write := func(name, script, source string) error {
		made := filepath.Join(temporary, name)
		if err := (command{name: "node", dir: "web", args: []string{"-e", script, source, made}}).run(); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
		code, err := os.ReadFile(made)
		if err != nil {
			return err
		}
		_, err = writePacked(dir, name, code)
		return err
	}
	for _, source := range sources {
		if err := write(strings.TrimSuffix(filepath.Base(source), ".wat")+".wasm", assemble, source); err != nil {
			return err
		}
	}
	return write("zstd.wasm", unpackZstd, filepath.Join(dir, "web", "node_modules", "zstddec", "dist", "zstddec.mjs"))
}
