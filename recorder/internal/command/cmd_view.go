package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/serve"
	"github.com/oniscope/oniscope/web"
)

const viewHelp = `View serves the page from this binary on loopback and prints its address; with
files or folders, the page opens them. Their bytes are read by range requests,
and never changed. A browser is opened if there is one. Ctrl-C ends it.`

// viewFlags are the flags of `oniscope view`.
type viewFlags struct {
	port      int
	noBrowser bool
}

func (a *app) viewCommand() *cobra.Command {
	f := &viewFlags{}
	return a.add(verb{
		use: "view [FILE...]", short: "Show recordings in the page", long: viewHelp,
		example: `  oniscope view today/*.arrow today/start-time_0.csv`,
		quiet:   "print only the address", json: "print the address and the files as JSON",
		flags: f.add,
		run:   func(ctx context.Context, args []string) error { return a.view(ctx, args, f) },
	})
}

func (f *viewFlags) add(fl *pflag.FlagSet) {
	fl.IntVar(&f.port, "port", 0, "port on loopback; 0 is any free one")
	fl.BoolVar(&f.noBrowser, "no-browser", false, "open no browser")
}

// shutdownPatience is how long requests may go on after Ctrl-C.
const shutdownPatience = 2 * time.Second

func (a *app) view(ctx context.Context, paths []string, f *viewFlags) error {
	files, err := openViewFiles(paths)
	if err != nil {
		return err
	}
	listener, err := listenOn("--port", strconv.Itoa(f.port), net.JoinHostPort("127.0.0.1", strconv.Itoa(f.port)))
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String() + "/"
	if len(files) > 0 {
		url += "?files=files.json"
	}
	if !web.HasEngine() {
		a.sayf("oniscope: built without the page: run go tool mage build")
	}
	ctx, cancel := a.interruptible(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           serve.New(web.Files, files),
		ReadHeaderTimeout: 10 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := a.printAddress(url, files); err != nil {
		return errors.Join(err, server.Close())
	}
	a.sayf("Ctrl-C ends it")
	if !f.noBrowser && web.HasEngine() {
		openBrowser(url)
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	patience, done := context.WithTimeout(context.Background(), shutdownPatience)
	defer done()
	if err := server.Shutdown(patience); errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	} else if err != nil {
		return err
	}
	return nil
}

// printAddress says where the page is, before anything else is printed.
func (a *app) printAddress(url string, files []string) error {
	if a.json {
		return a.writeJSON(struct {
			URL   string   `json:"url"`
			Files []string `json:"files"`
		}{url, append([]string{}, files...)})
	}
	_, err := fmt.Fprintln(a.stdout, url)
	return err
}

// openViewFiles checks that each path is a file that can be read. Of a folder they
// are the recordings and start-time CSVs.
func openViewFiles(given []string) ([]string, error) {
	var paths []string
	for _, path := range given {
		f, ok, err := files.ReadFolder(path)
		if err != nil {
			return nil, err
		}
		if !ok {
			paths = append(paths, path)
		}
		paths = append(append(paths, f.Recordings...), f.StartTimes...)
	}
	for _, path := range paths {
		f, _, err := files.OpenRegular(path)
		if err != nil {
			return nil, err
		}
		f.Close()
	}
	return paths, nil
}
