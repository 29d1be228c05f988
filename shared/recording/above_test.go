package recording_test

import (
	"bytes"
	"context"
	"errors"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// keepsNothing reports whether a recovery keeps nothing of a file.
func keepsNothing(data []byte) bool {
	var nothing *recovery.Error
	_, err := recovery.Examine(context.Background(), bytes.NewReader(data), int64(len(data)), nil)
	return errors.As(err, &nothing)
}

// damageOf is what a verification finds in a file, without infos.
func damageOf(data []byte) (list []recording.Finding, err error) {
	for f, err := range recovery.Verify(context.Background(), bytes.NewReader(data), int64(len(data)), nil) {
		if err != nil {
			return nil, err
		}
		if f.Severity > recording.SeverityInfo {
			list = append(list, f)
		}
	}
	return list, nil
}
