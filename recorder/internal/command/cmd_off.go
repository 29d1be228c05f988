package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oniscope/oniscope/hardware/headstage"
)

const offHelp = `Off opens the controller and sets the voltages of both ports to 0, whatever else
fails, and says 0 V only of what the hardware confirms. Run it after a recorder
was killed, or the power failed: a port keeps its voltage until it is set to 0
or the PC loses power, and after power-up it has the voltage that was saved.`

func (a *app) offCommand() *cobra.Command {
	b := &boardFlags{}
	return a.add(verb{
		use: "off [--driver riffa]", short: "Set the voltages of both ports to 0", long: offHelp,
		example: `  oniscope off`,
		args:    noArguments, quiet: "say nothing but errors",
		flags: b.add,
		run:   func(context.Context, []string) error { return a.off(b) },
	})
}

func (a *app) off(b *boardFlags) error {
	_, stop := a.signals() // an interrupt between the two ports must not leave one with its voltage
	defer stop()
	c, err := b.open()
	if err != nil {
		if usage := (*usageError)(nil); errors.As(err, &usage) {
			return err
		}
		return fmt.Errorf("%w; the ports were NOT set to 0 V: turn the switches of the ports off", err)
	}
	err = headstage.Dark(c)
	if errors.Is(err, headstage.ErrNoPorts) {
		return errors.Join(fmt.Errorf("the board of driver %s: %w", b.driver, err), c.Close())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%w; turn the switches of the ports off", err), c.Close())
	}
	a.sayf("ports A and B: 0 V")
	return c.Close()
}
