package hotlist_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"platewatch/hotlist"
	"platewatch/hotlist/match"
)

// A list is imported, and a plate looked up that was read with an O for the 0.
func Example() {
	dir, err := os.MkdirTemp("", "hotlist")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	file := strings.NewReader("plate,state,category\nAB10CD,NL,stolen vehicle\n")
	if _, err := hotlist.Import(ctx, dir, file, hotlist.ImportOptions{List: "stolen"}); err != nil {
		panic(err)
	}
	db, err := hotlist.Open(dir, hotlist.Options{})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	var read []match.Character
	for _, c := range "AB1OCD" {
		read = append(read, match.Character{Text: string(c), Confidence: 0.98})
	}
	matches, err := db.Match(match.Query{Characters: read})
	if err != nil {
		panic(err)
	}
	for _, m := range matches {
		fmt.Println(m.Entry.Plate, m.Entry.Category, m.How)
	}
	// Output: AB10CD stolen_vehicle confusable
}
