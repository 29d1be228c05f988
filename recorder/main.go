// Command oniscope records ONIX hardware to Arrow files, lists what is in such
// files, cuts and repairs them, and shows them in a web page.
//
// The command line is package command; exit codes and streams are described
// there.
package main

import (
	"os"

	"github.com/oniscope/oniscope/recorder/internal/command"
)

func main() { os.Exit(command.Run(os.Args[1:]...)) }
