// Package recovery verifies recordings, and makes whole files of damaged ones.
//
// [Verify] reads everything and lists all that is wrong:
//
//	for finding, err := range recovery.Verify(ctx, file, size, nil) {
//		// an error is a loss, a warning is not as it should be
//	}
//
// [Examine] plans a whole file from what is intact in a damaged one. The [Plan]
// is spans of the input and bytes between them: a program copies them, a page
// makes its output of them, and where nothing has to move it is carried out in
// place:
//
//	plan, err := recovery.Examine(ctx, file, size, nil)
//	io.Copy(out, io.NewSectionReader(plan.Output(file), 0, plan.Size()))
//	err = plan.Check(file, out, plan.Size(), nil)
//
// Both rest on the walk that readers rest on, and decode bodies with one
// checker: what is intact is the same for all. FORMAT.md of package recording
// says what counts as intact, and what recovery promises.
package recovery
