package buildtool

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// hidden are packages in folders called testdata, which ./... does not reach.
var hidden = []string{"./testdata/generate/...", "./internal/testdata", "./internal/testdata/oracle"}

// Lint checks form and suspicious code, for both platforms.
func Lint() error {
	return runStages([]stage{
		{name: "gofmt", do: gofmt},
		{name: "go vet, native", do: func() error { return run("go", append([]string{"vet", "./..."}, hidden...)...) }},
		{name: "go vet, targets", do: func() error { return run("go", "vet", "-tags=mage", ".") }},
		{name: "go vet, WebAssembly", do: func() error {
			return command{name: "go", env: wasmEnv, args: []string{"vet", "./shared/...", "./wasm/..."}}.run()
		}},
		{name: "compile for every platform", do: compileAll},
		{name: "staticcheck, native", do: func() error { return staticcheck(nil, append([]string{"./..."}, hidden...)...) }},
		{name: "staticcheck, WebAssembly", do: func() error { return staticcheck(wasmEnv, "./shared/...", "./wasm/...") }},
		{name: "tsc over the page's JSDoc", do: typecheck},
	})
}

// platforms are those that the recorder is made for.
var platforms = []string{"linux/amd64", "linux/arm64", "windows/amd64", "windows/arm64", "darwin/amd64", "darwin/arm64"}

// compileAll compiles all packages without cgo, as releases are.
func compileAll() error {
	for _, platform := range platforms {
		system, machine, _ := strings.Cut(platform, "/")
		env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + machine}
		if err := (command{name: "go", env: env, args: []string{"build", "./..."}}).run(); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	return nil
}

func gofmt() error {
	tracked, err := output("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go")
	if err != nil {
		return err
	}
	wrong, err := output("gofmt", append([]string{"-l"}, strings.Fields(tracked)...)...)
	if err != nil {
		return err
	}
	if wrong != "" {
		return fmt.Errorf("not formatted (run gofmt -w on them):\n%s", wrong)
	}
	return nil
}

// staticcheck runs the pinned tool. `go tool` would build it for the platform
// in env, so the native program is asked for first.
func staticcheck(env []string, packages ...string) error {
	program, err := output("go", "tool", "-n", "staticcheck")
	if err != nil {
		return err
	}
	return command{name: program, env: env, args: packages}.run()
}

func typecheck() error {
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("tsc needs Node 20 with npm: install it (Debian: apt-get install nodejs npm)")
	}
	if err := (command{name: "npm", dir: "web", args: []string{"ci", "--no-audit", "--no-fund"}}).run(); err != nil {
		return err
	}
	return command{name: "npm", dir: "web", args: []string{"run", "--silent", "check"}}.run()
}
