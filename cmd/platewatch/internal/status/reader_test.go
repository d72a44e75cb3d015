package status

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// spoken is the page as a screen reader has it: a line for each element that it
// speaks of, with its role, its name and what the reader adds.
func spoken(t *testing.T, nodes []*accessibility.Node) []string {
	t.Helper()
	text := func(v *accessibility.Value) string {
		var s any
		if v == nil || json.Unmarshal(v.Value, &s) != nil {
			return ""
		}
		return fmt.Sprint(s)
	}
	of := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range nodes {
		of[n.NodeID] = n
	}
	var lines []string
	var walk func(n *accessibility.Node, depth int)
	walk = func(n *accessibility.Node, depth int) {
		role, name := text(n.Role), text(n.Name)
		silent := n.Ignored || slices.Contains([]string{"none", "generic", "InlineTextBox", "LineBreak"}, role)
		if !silent {
			line := strings.Repeat("  ", depth) + role
			if name != "" {
				line += fmt.Sprintf(" %q", name)
			}
			for _, p := range n.Properties {
				if slices.Contains([]string{"live", "pressed", "expanded", "level"}, string(p.Name)) {
					line += fmt.Sprintf(" %s=%s", p.Name, text(p.Value))
				}
			}
			lines = append(lines, line)
			depth++
		}
		for _, id := range n.ChildIDs {
			if child := of[id]; child != nil {
				walk(child, depth)
			}
		}
	}
	walk(nodes[0], 0)
	return lines
}

// TestSpokenInBrowser reads the page as a screen reader does: every view, button and
// picture has a name, changes are announced politely and a loss at once, and the
// headline comes before what it is made of. It prints the page too: all views and
// details, and nothing that needs a screen.
func TestSpokenInBrowser(t *testing.T) {
	ctx := browser(t)
	u := healthy()
	u.doc.Verdicts.Counts[0].TooMany = true
	base := start(t, newServer(t, u, Options{}))
	for _, view := range []string{"aim", "health", "hits"} {
		do(t, ctx, chromedp.EmulateViewport(320, 640), chromedp.Navigate(base+"#"+view), chromedp.Reload())
		waitFor(t, ctx, fmt.Sprintf(`!document.getElementById(%q).hidden`, view))
		if view == "aim" {
			waitFor(t, ctx, `Number(document.getElementById("picture").dataset.shown) >= 1`)
		}
		tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			t.Fatal(err)
		}
		lines := spoken(t, tree.Nodes)
		if *shots != "" {
			if err := os.WriteFile(filepath.Join(*shots, "spoken-"+view+".txt"), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		all := strings.Join(lines, "\n")
		want := map[string][]string{
			"":       {`heading "gate-7" level=1`, `navigation "Views"`, `link "Health"`, `status live=polite`},
			"aim":    {`region "Aim"`, `button "front" pressed=true`, `button "Full screen" pressed=false`, `button "Zone" pressed=true`, `image "`, `button "Last plate 1:1"`},
			"health": {`region "Health"`, `region "State"`, `heading "Uplink" level=2`, `heading "Warning: Hotlist" level=2`},
			"hits":   {`region "Last hits"`, `image "The plate on camera front"`},
		}
		for _, w := range slices.Concat(want[""], want[view]) {
			if !strings.Contains(all, w) {
				t.Errorf("%s does not say %s:\n%s", view, w, all)
			}
		}
		for _, l := range lines {
			role, name, _ := strings.Cut(strings.TrimSpace(l), " ")
			if slices.Contains([]string{"button", "link", "image", "region", "heading", "textbox"}, role) && !strings.HasPrefix(name, `"`) {
				t.Errorf("%s: a %s without a name", view, role)
			}
		}
		if strings.ContainsAny(all, "●▲■○") {
			t.Errorf("%s: a shape is spoken:\n%s", view, all)
		}
		head, first := strings.Index(all, "Hotlist national (exact)"), strings.Index(all, "region")
		if head < 0 || head > first {
			t.Errorf("%s: the headline does not come first:\n%s", view, all)
		}
		pdf, err := chromedp.Call(ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
		if err != nil {
			t.Fatal(err)
		}
		// The browser may say so before it has told the page that printing is over.
		waitFor(t, ctx, `document.querySelector("details") && !document.querySelector("details[open]")`)
		if *shots != "" {
			if err := os.WriteFile(filepath.Join(*shots, "print-"+view+".pdf"), pdf.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Printed, the page shows all views with all details, whichever was on the screen.
	do(t, ctx, chromedp.Navigate(base+"#health"))
	waitFor(t, ctx, `!document.getElementById("health").hidden && document.querySelector("#camera-details dl") != null`)
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	js[chromedp.Void](t, ctx, `window.dispatchEvent(new Event("beforeprint"))`)
	for selector, want := range map[string]bool{"#verdict": true, "#quantities": true, "#tiles": true, "#camera-details dl": true, "#unit-details": true, "#hit-list": true, "#screen": false, "#views": false, "#full": false, "#drive": false} {
		// An opened part is shown from the browser's next frame on.
		waitFor(t, ctx, fmt.Sprintf(`%t === Boolean(document.querySelector(%q)?.checkVisibility({contentVisibilityAuto: true}))`, want, selector))
	}
	js[chromedp.Void](t, ctx, `window.dispatchEvent(new Event("afterprint"))`)
	if js[int](t, ctx, `document.querySelectorAll("details[open]").length`) != 0 {
		t.Error("after printing the details stay open")
	}
}
