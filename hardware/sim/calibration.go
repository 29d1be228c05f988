package sim

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"strings"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
)

// Calibration returns a folder with the calibration files of a cold
// controller's probes, named and laid out as the vendor's: gains of 1, and
// converters that are not shifted. It is empty for other controllers.
//
// Source: onix-devices 5.3.
func Calibration(c oni.Controller) fs.FS {
	files := map[string]string{}
	if own, ok := c.(*controller); ok && own.cold != nil {
		for _, p := range own.cold.ports {
			p.calibrate(files)
		}
	}
	var b bytes.Buffer // an archive in memory is a folder of the standard library
	w := zip.NewWriter(&b)
	for name, text := range files {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		if err != nil {
			panic(err) // nothing that is written to memory fails
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	folder, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		panic(err)
	}
	return folder
}

func (p *port) calibrate(files map[string]string) {
	lines := func(serial uint64, n int, columns string) string {
		var b strings.Builder
		fmt.Fprintln(&b, serial)
		for i := range n {
			fmt.Fprintf(&b, "%d,%s\n", i, columns)
		}
		return b.String()
	}
	switch p.headstage {
	case device.HeadstageNeuropixelsV1e:
		serial := p.serial(0)
		files[fmt.Sprintf("%d_ADCCalibration.csv", serial)] = lines(serial, 32, "0,0,0,0,0,0,0,512")
		files[fmt.Sprintf("%d_gainCalValues.csv", serial)] = lines(serial, 960, strings.TrimSuffix(strings.Repeat("1,", 16), ","))
	case device.HeadstageNeuropixelsV2e:
		for probe := range 2 {
			serial := p.serial(probe)
			files[fmt.Sprintf("%d_gainCalValues.csv", serial)] = lines(serial, 384, "1")
		}
	}
}
