package pagetest

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var update = flag.Bool("update", false, "write the golden pictures anew; look at them, and at the large ones in out/screenshots")

// What a picture may differ from the golden one. Both are means over blocks of
// pixels, so that another version of the browser, with other edges, passes.
const (
	goldenBlock = 8    // edge of a block, device pixels
	goldenMean  = 1.5  // mean difference of a channel of colour, of 255
	goldenFar   = 14   // a block differs when one channel does by so much
	goldenShare = 0.02 // of blocks that may differ
)

// textless hides all words: fonts are not the same on all machines.
const textless = `(() => {
	for (const method of ["fillText", "strokeText"]) CanvasRenderingContext2D.prototype[method] = () => {};
	const style = document.createElement("style");
	style.textContent = "* { -webkit-text-fill-color: transparent !important; text-shadow: none !important; caret-color: transparent !important; transition: none !important } ::placeholder { opacity: 0 !important }";
	document.head.append(style);
})(), 1`

// The page looks as it did, in both themes and at the sizes and the zoom that
// people have: one page, resized.
func TestThePageLooksAsItDid(t *testing.T) {
	page := open(t, View{Width: 1280, Height: 800})
	check(t, page.Eval(textless, nil))
	check(t, page.Drop(simulatedRun(t)...))
	check(t, page.WaitDrawn(0))
	check(t, page.WaitFor(patience, `document.querySelector("#overview .edge").hidden`))
	sizes := []struct {
		name          string
		width, height int64
		scale         float64
	}{{"1280", 1280, 800, 1}, {"1920", 1920, 1080, 1}, {"2560", 2560, 1440, 1}, {"200-percent", 640, 400, 2}}
	look := func(name, theme, gain string) image.Image {
		t.Helper()
		check(t, page.Eval(fmt.Sprintf(`(async () => {
			document.documentElement.dataset.theme = %q;
			const gain = document.querySelector("#gain");
			gain.value = %q;
			if (gain.value) gain.dispatchEvent(new Event("change")); // else as it was measured
			await oniscope.view({ from: 0.1, to: 1.1 });
			await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
		})()`, theme, gain), nil))
		check(t, page.WaitFor(patience, `document.querySelector("#overview .edge").hidden`))
		path := filepath.Join("..", "..", "out", "screenshots", "golden-"+name+"-"+theme+".png")
		check(t, page.Screenshot(path))
		return readPNG(t, path)
	}
	pictures := map[string]image.Image{}
	for _, size := range sizes {
		check(t, chromedp.Do(page.Context(), chromedp.EmulateViewport(size.width, size.height, chromedp.EmulateScale(size.scale))))
		check(t, page.WaitFor(patience, fmt.Sprintf(`innerWidth === %d && devicePixelRatio === %g`, size.width, size.scale)))
		for _, theme := range []string{"dark", "light"} {
			picture := look(size.name, theme, "200 µV")
			pictures[size.name+theme] = picture
			likeGolden(t, size.name+"-"+theme, picture)
		}
	}
	check(t, chromedp.Do(page.Context(), chromedp.EmulateViewport(1280, 800)))
	for _, c := range []struct{ key, name, gain string }{{"a", "all-channels", "5 mV"}, {"h", "heat-map", ""}} {
		press(t, page, c.key)
		for _, theme := range []string{"dark", "light"} {
			picture := look(c.name, theme, c.gain)
			likeGolden(t, c.name+"-"+theme, picture)
			if mean, share := differ(blocks(picture), blocks(pictures["1280"+theme])); mean <= goldenMean && share <= goldenShare {
				t.Errorf("%s, %s, passes for traces: mean difference %.1f, %.1f %% of blocks", c.name, theme, mean, 100*share)
			}
		}
		press(t, page, c.key)
	}
}

// likeGolden compares a picture with that of testdata/golden.
func likeGolden(t *testing.T, name string, picture image.Image) {
	t.Helper()
	path, got := filepath.Join("testdata", "golden", name+".png"), blocks(picture)
	if *update {
		var encoded bytes.Buffer
		check(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&encoded, got))
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, encoded.Bytes(), 0o644))
		return
	}
	want := readPNG(t, path)
	if want.Bounds() != got.Bounds() {
		t.Errorf("%s: %v blocks, want %v", name, got.Bounds().Max, want.Bounds().Max)
		return
	}
	mean, share := differ(got, want)
	t.Logf("%s: mean difference %.2f, %.2f %% of blocks", name, mean, 100*share)
	if mean > goldenMean || share > goldenShare {
		t.Errorf("%s is not as it was: mean difference %.1f of 255, %.1f %% of blocks differ; look at out/screenshots/golden-%s.png, and run with -update if it is right", name, mean, 100*share, name)
	}
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	picture, err := png.Decode(bytes.NewReader(data))
	check(t, err)
	return picture
}

// blocks is a picture of the mean of each block, in steps of 4 so that it
// compresses.
func blocks(picture image.Image) image.Image {
	b := picture.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx()/goldenBlock, b.Dy()/goldenBlock))
	for y := range out.Bounds().Dy() {
		for x := range out.Bounds().Dx() {
			var sum [3]uint32
			for j := range goldenBlock {
				for i := range goldenBlock {
					r, g, bl, _ := picture.At(b.Min.X+x*goldenBlock+i, b.Min.Y+y*goldenBlock+j).RGBA()
					sum[0], sum[1], sum[2] = sum[0]+r>>8, sum[1]+g>>8, sum[2]+bl>>8
				}
			}
			mean := func(c int) uint8 { return uint8(sum[c]/(goldenBlock*goldenBlock)) &^ 3 }
			out.SetNRGBA(x, y, color.NRGBA{mean(0), mean(1), mean(2), 255})
		}
	}
	return out
}

// differ gives the mean difference of two pictures of one size, of 255, and the
// share of pixels that differ by more than goldenFar.
func differ(a, b image.Image) (mean, share float64) {
	size := a.Bounds()
	for y := range size.Dy() {
		for x := range size.Dx() {
			r0, g0, b0, _ := a.At(x, y).RGBA()
			r1, g1, b1, _ := b.At(x, y).RGBA()
			most := 0.0
			for _, d := range []float64{float64(r0) - float64(r1), float64(g0) - float64(g1), float64(b0) - float64(b1)} {
				d = math.Abs(d) / 257
				mean += d / 3
				most = max(most, d)
			}
			if most > goldenFar {
				share++
			}
		}
	}
	n := float64(size.Dx() * size.Dy())
	return mean / n, share / n
}
