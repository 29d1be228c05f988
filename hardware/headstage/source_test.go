package headstage

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The tests of this file read the source of the whole repository: what must never
// be written has no place that could write it. Source: onix-devices 2.9, 6.0.

// mayWrite are the only files, tests apart, that call WriteRegister.
var mayWrite = []string{
	"hardware/headstage/beside.go",  // the rate of the heartbeat
	"hardware/headstage/bringup.go", // refuses registers of PortControllers
	"hardware/headstage/voltage.go", // PORTVOLTAGE
	"hardware/serdes/chip.go",       // of the DS90UB9x device
	"hardware/serdes/serdes.go",     // of the DS90UB9x device
}

// TestOneFileWritesVoltages: of all files, voltage.go alone names the register
// PORTVOLTAGE in a call that writes, once, and the others that write cannot reach
// it: serdes writes to addresses 8 and 9 only, and bringUp.WriteRegister refuses.
func TestOneFileWritesVoltages(t *testing.T) {
	writers := map[string]int{}
	voltages := 0
	eachSource(t, func(file string, parsed *ast.File, fset *token.FileSet) {
		ast.Inspect(parsed, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				for _, arg := range call.Args {
					if id, ok := arg.(*ast.Ident); ok && id.Name == "regPortVoltage" && named(call.Fun) == "WriteRegister" {
						voltages++
					}
				}
			}
			// As a method value it could be called elsewhere.
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "WriteRegister" {
				writers[file]++
				if !slices.Contains(mayWrite, file) {
					t.Errorf("%s: WriteRegister is used; registers are written by hardware/headstage and hardware/serdes only", fset.Position(n.Pos()))
				}
			}
			return true
		})
	})
	if voltages != 1 {
		t.Errorf("PORTVOLTAGE is written in %d places, want one function that checks", voltages)
	}
	for _, file := range mayWrite {
		if writers[file] == 0 {
			t.Errorf("%s writes no register: the list is out of date", file)
		}
	}
}

// named is the name of a function or method that is called.
func named(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// TestVoltagesAreWrittenByOneFunction: the register's constant, and the function that
// writes it unasked, are used by voltage.go alone.
func TestVoltagesAreWrittenByOneFunction(t *testing.T) {
	eachSource(t, func(file string, parsed *ast.File, fset *token.FileSet) {
		ast.Inspect(parsed, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && (id.Name == "regPortVoltage" || id.Name == "writeVoltage") && file != "hardware/headstage/voltage.go" {
				t.Errorf("%s: %s is used outside voltage.go", fset.Position(n.Pos()), id.Name)
			}
			return true
		})
	})
}

// forbiddenWords are names of registers that have no code path.
var forbiddenWords = []string{"gpostate", "savevoltage"}

// TestNothingNamesWhatIsNeverWritten: no identifier and no constant of that name
// exists outside the simulator, which refuses them; comments may speak of them.
func TestNothingNamesWhatIsNeverWritten(t *testing.T) {
	eachSource(t, func(file string, parsed *ast.File, fset *token.FileSet) {
		if strings.HasPrefix(file, "hardware/sim/") || strings.HasPrefix(file, "internal/standin/") {
			return
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				for _, word := range forbiddenWords {
					if strings.Contains(strings.ToLower(id.Name), word) {
						t.Errorf("%s: %s: this register has no code path", fset.Position(n.Pos()), id.Name)
					}
				}
			}
			return true
		})
	})
}

// TestEveryWriteToAPortIsOneOfThree: whatever a bring-up may ask for, a
// PortController gets ENABLE, DESPWR and LINKFLAGS through it and nothing else.
func TestEveryWriteToAPortIsOneOfThree(t *testing.T) {
	b := newBoard()
	up := newBringUp(t.Context(), b, b.rigOf(t, "", ""), func(string, func() error) {})
	for register := range uint32(12) {
		for _, a := range portControllers(b.table) {
			before := len(b.journal)
			err := up.WriteRegister(a, register, 1)
			if allowed := register == 0 || register == 2 || register == 7; allowed != (err == nil) || allowed != (len(b.journal) > before) {
				t.Errorf("register %d of %v: %v, %d accesses", register, a, err, len(b.journal)-before)
			}
		}
	}
	b.table = nil // even if the table is lost
	if err := up.WriteRegister(1, 4, 1); err == nil {
		t.Error("SAVEVOLTAGE was written")
	}
}

// TestNoNumberWritesToAPort: WriteRegister is never called with numbers instead of
// names, but for the address of a chip, which is computed.
func TestNoNumberWritesToAPort(t *testing.T) {
	eachSource(t, func(file string, parsed *ast.File, fset *token.FileSet) {
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if !slices.Contains([]string{"WriteRegister", "write", "keep"}, named(call.Fun)) || len(call.Args) < 3 {
				return true
			}
			for _, arg := range call.Args[:len(call.Args)-1] {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.INT {
					if v, exact := constant.Uint64Val(constant.MakeFromLiteral(lit.Value, token.INT, 0)); exact {
						t.Errorf("%s: register or address %d is a number; give it a name", fset.Position(n.Pos()), v)
					}
				}
			}
			return true
		})
	})
}

// eachSource visits every Go file of the repository that is not a test.
func eachSource(t *testing.T, visit func(file string, parsed *ast.File, fset *token.FileSet)) {
	t.Helper()
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && rel != "." || entry.Name() == "node_modules" || slices.Contains([]string{"bin", "out", "recordings"}, rel)) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		seen++
		visit(rel, parsed, fset)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Fatalf("%d files of source, want the whole repository: %s", seen, strconv.Quote(root))
	}
}
