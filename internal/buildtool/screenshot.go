package buildtool

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/oniscope/oniscope/web/pagetest"
)

// Screenshot makes docs/page.png from ten seconds of the simulated rig: the
// seed is in the rig file, so that the picture changes with the page only.
func Screenshot() error {
	if err := Build(); err != nil {
		return err
	}
	if err := ensureChromium(); err != nil {
		return err
	}
	folder, err := outFolder("screenshot")
	if err != nil {
		return err
	}
	files, err := recordSimulated(relative(folder), "--duration", "10s", "--pace", "max")
	if err != nil {
		return err
	}
	dir, err := root()
	if err != nil {
		return err
	}
	return inPage(filepath.Join(dir, "web"), pagetest.View{Width: 1600, Height: 1000}, func(p *pagetest.Page) error {
		if err := p.Drop(files...); err != nil {
			return err
		}
		if err := p.WaitDrawn(0); err != nil {
			return err
		}
		if err := p.WaitQuiet(); err != nil {
			return err
		}
		return p.Screenshot(filepath.Join(dir, "docs", "page.png"))
	})
}

// inPage serves a folder, opens it in a browser of its own, and closes both
// when use returns. Anything that the page did wrong is an error.
func inPage(folder string, view pagetest.View, use func(*pagetest.Page) error) error {
	server, err := pagetest.Serve(folder)
	if err != nil {
		return err
	}
	defer server.Close()
	browser, err := pagetest.Start(context.Background())
	if err != nil {
		return err
	}
	defer browser.Close()
	page, err := browser.Open(server.URL, view)
	if err != nil {
		return err
	}
	defer page.Close()
	if err := use(page); err != nil {
		return err
	}
	if wrong := append(page.Problems(), server.Reports()...); len(wrong) > 0 {
		return fmt.Errorf("the page did what it must not: %v", wrong)
	}
	return nil
}

// relative gives a path below the root as seen from there.
func relative(path string) string {
	dir, err := root()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return path
	}
	return rel
}
