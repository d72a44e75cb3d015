package render

import (
	"image/color"
	"maps"
	"slices"

	"platewatch/ocr/render/paint"
)

// Layout describes one kind of plate as plain measures in millimetres.
type Layout struct {
	Name   string // unique, for example "nl"
	Region string // "eu", "uk", "us", "br" or "tw"
	Width  float64
	Height float64
	Corner float64 // radius of the corners
	Face   color.RGBA
	Ink    color.RGBA
	Border Border
	Die    string // name of the die of the characters
	Rows   []Row
	Bands  []Band
	Texts  []Caption
	Art    Art // picture behind the characters
	Bolts  []Point
	// Patterns are the layout's numbers: see [number.Random].
	Patterns []string
	// Letters are the letters that the series uses; empty means A to Z.
	Letters string
	Vanity  bool // owners may choose the text
	Sticker []Sticker
}

// Border is the printed or embossed line round the face.
type Border struct {
	Inset, Width float64 // millimetres; Width 0: none
	Color        color.RGBA
}

// Row is one line of characters: a box in which the text is centred.
type Row struct {
	Left, Right float64 // millimetres from the plate's left edge
	Top, Height float64 // of the capitals
	Gap         float64 // between characters
	Space       float64 // of a separator
}

// Band is a coloured field with a country's letters and emblem.
type Band struct {
	X0, Y0, X1, Y1 float64
	Color          color.RGBA
	Text           string
	Ink            color.RGBA
	TextHeight     float64 // millimetres; the text is centred in the field, below the emblem if there is one
	Stars          bool    // the circle of twelve stars
	Flag           bool
}

// Caption is small lettering that is not part of the number.
type Caption struct {
	X, Y   float64 // centre of the line, top of the capitals, millimetres
	Height float64
	MaxW   float64 // squeezed to at most this width
	Die    string
	Ink    color.RGBA
	Choice []string // one of them is drawn
}

// Sticker is a place where a validity sticker may be.
type Sticker struct{ X, Y, W, H float64 }

// Art is the picture printed on a plate's face.
type Art uint8

// Pictures on the face.
const (
	ArtNone Art = iota
	ArtFade     // a pale colour running out from the top and the foot
	ArtHills
	ArtSunset
	ArtWaves
	ArtStripe
)

var (
	white  = paint.RGB(0xF1F1EC)
	black  = paint.RGB(0x16171C)
	yellow = paint.RGB(0xF2BE1F)
	euBlue = paint.RGB(0x123E9C)
	gold   = paint.RGB(0xF6D216)
)

// euBand is the blue field of European plates at the left edge.
func euBand(country string, w, h float64) Band {
	return Band{X0: 0, Y0: 0, X1: w, Y1: h, Color: euBlue, Text: country, Ink: paint.RGB(0xF4F4F4), TextHeight: 20, Stars: true}
}

func euLong(name, country, die string, gap, space float64, patterns ...string) Layout {
	return Layout{
		Name: name, Region: "eu", Width: 520, Height: 112, Corner: 9, Face: white, Ink: black,
		Border: Border{Inset: 2.5, Width: 2.5, Color: black}, Die: die,
		Rows:  []Row{{Left: 52, Right: 508, Top: 18, Height: 76, Gap: gap, Space: space}},
		Bands: []Band{euBand(country, 42, 112)}, Patterns: patterns,
		Bolts: []Point{{X: 150, Y: 9}, {X: 380, Y: 9}},
	}
}

func usPlate(name, state, slogan string, art Art, ink uint32, patterns ...string) Layout {
	c := paint.RGB(ink)
	return Layout{
		Name: name, Region: "us", Width: 305, Height: 152, Corner: 10, Face: white, Ink: c,
		Border: Border{Inset: 3.5, Width: 1.5, Color: c}, Die: "us", Vanity: true, Art: art,
		Rows: []Row{{Left: 14, Right: 291, Top: 42, Height: 72, Gap: 6, Space: 16}},
		Texts: []Caption{
			{X: 152, Y: 11, Height: 17, MaxW: 170, Die: "caption", Ink: c, Choice: []string{state}},
			{X: 152, Y: 129, Height: 10, MaxW: 170, Die: "caption", Ink: c, Choice: []string{slogan}},
		},
		Bolts:   []Point{{X: 63, Y: 13}, {X: 242, Y: 13}, {X: 63, Y: 139}, {X: 242, Y: 139}},
		Sticker: []Sticker{{10, 9, 32, 24}, {263, 9, 32, 24}}, Patterns: patterns,
	}
}

// layouts lists every layout by name.
var layouts = func() map[string]*Layout {
	nl := euLong("nl", "NL", "din", 8, 10, "LL-DDD-L", "L-DDD-LL", "DD-LLL-D", "D-LLL-DD", "LLL-DD-D")
	nl.Face, nl.Letters = yellow, "BDFGHJKLNPRSTVXZ"
	de := euLong("de", "D", "fe", 8, 40, "L:LL DDDD", "LL:L DDDD", "LLL:LL DD", "L:LL DDD", "LL:LL DDD")
	de.Letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
	sk := euLong("sk", "SK", "din", 9, 36, "LL^DDDLL")
	cz := euLong("cz", "CZ", "din", 9, 34, "DLD DDDD", "DLL DDDD")
	cz.Letters = "ABCEHJKLMPSTUVXYZ"
	at := euLong("at", "A", "din", 8, 30, "L^DDDDLL", "LL^DDDLL", "LL^DDLL")
	fr := euLong("fr", "F", "narrow", 10, 10, "LL-DDD-LL")
	fr.Letters = "ABCDEFGHJKLMNPQRSTVWXYZ"
	fr.Border.Width = 0
	fr.Bands = append(fr.Bands, Band{X0: 478, Y0: 0, X1: 520, Y1: 112, Color: euBlue, Text: "75", Ink: white, TextHeight: 18})
	fr.Rows[0].Right = 470
	it := euLong("it", "I", "narrow", 10, 26, "LL DDDLL")
	it.Letters = "ABCDEFGHJKLMNPRSTVWXYZ"
	it.Border.Width = 0
	it.Bands = append(it.Bands, Band{X0: 478, Y0: 0, X1: 520, Y1: 112, Color: euBlue, Text: "RM", Ink: white, TextHeight: 16})
	it.Rows[0].Right = 470
	es := euLong("es", "E", "din", 9, 34, "DDDD LLL")
	es.Letters = "BCDFGHJKLMNPRSTVWXYZ"
	pl := euLong("pl", "PL", "din", 8, 34, "LL DDDDD", "LLL DDDD", "LL DDDDL", "LLL LDDD")
	be := euLong("be", "B", "din", 9, 12, "D-LLL-DDD")
	be.Ink, be.Border.Color = paint.RGB(0x8A1520), paint.RGB(0x8A1520)
	se := euLong("se", "S", "din", 10, 36, "LLL DDD", "LLL DDL")
	se.Letters = "ABCDEFGHJKLMNOPRSTUWXYZ"
	old := euLong("fr-old", "", "narrow", 9, 24, "DDDD LL DD", "DDD LLL DD")
	old.Bands, old.Rows[0].Left = nil, 14
	dark := old
	dark.Name, dark.Face, dark.Ink, dark.Border.Color = "dark", paint.RGB(0x1A1A1C), paint.RGB(0xDADADA), paint.RGB(0xC8C8C8)
	dark.Rows = slices.Clone(old.Rows)
	dark.Patterns = []string{"LL DDDD", "LLL DDD", "DDDD LL DD", "LL-DD-DD"}

	gb := Layout{
		Name: "gb", Region: "uk", Width: 520, Height: 111, Corner: 9, Face: white, Ink: black, Die: "uk",
		Rows: []Row{{Left: 50, Right: 510, Top: 16, Height: 79, Gap: 10, Space: 31}}, Letters: "ABCDEFGHJKLMNOPRSTUVWXYZ",
		Bands: []Band{{X0: 0, Y0: 0, X1: 44, Y1: 111, Color: paint.RGB(0x1B2F7A), Text: "UK", Ink: white, TextHeight: 17, Flag: true}},
		Texts: []Caption{{X: 275, Y: 102, Height: 4.5, Die: "caption", Ink: paint.RGB(0x505050), Choice: []string{"HILLSIDE MOTORS", "NORTHGATE CARS", "A1 PLATES"}}},
		Bolts: []Point{{X: 75, Y: 9}, {X: 450, Y: 9}}, Patterns: []string{"LLDD LLL"},
	}
	gbRear := gb
	gbRear.Name, gbRear.Face = "gb-rear", yellow
	gbPlain := gb
	gbPlain.Name, gbPlain.Bands, gbPlain.Rows = "gb-plain", nil, []Row{{Left: 12, Right: 508, Top: 16, Height: 79, Gap: 11, Space: 33}}
	gbPlain.Patterns = []string{"LLDD LLL", "LDDD LLL", "LDD LLL", "LLL DDDL"}

	ca := usPlate("us-ca", "CALIFORNIA", "DMV.CA.GOV", ArtNone, 0x1B2350, "DLLLDDD")
	ca.Texts[0].Ink = paint.RGB(0xB2222E)
	tx := usPlate("us-tx", "TEXAS", "THE LONE STAR STATE", ArtNone, 0x17181C, "LLL DDDD", "LLL-DDDD")
	tx.Die = "usflat"
	fl := usPlate("us-fl", "FLORIDA", "SUNSHINE STATE", ArtFade, 0x14532F, "LLL LDD", "DDD LLL", "LDD DLL")
	az := usPlate("us-az", "ARIZONA", "GRAND CANYON STATE", ArtSunset, 0x23315F, "LLL DDDD", "LLLDDDD")
	co := usPlate("us-co", "COLORADO", "", ArtHills, 0x0F3B27, "LLL-DDD", "DDD-LLL")
	co.Texts = co.Texts[:1]
	co.Texts[0].Y, co.Texts[0].Height = 128, 13
	ny := usPlate("us-ny", "NEW YORK", "EXCELSIOR", ArtStripe, 0x152A63, "LLL DDDD")
	wa := usPlate("us-wa", "WASHINGTON", "EVERGREEN STATE", ArtWaves, 0x1F2D66, "LLLDDDD", "DDD LLL")
	ohio := usPlate("us-oh", "OHIO", "BIRTHPLACE OF AVIATION", ArtFade, 0x1A2C6B, "LLL DDDD")
	ohio.Die = "usflat"

	br := Layout{
		Name: "br", Region: "br", Width: 400, Height: 130, Corner: 5, Face: paint.RGB(0xB9BCBE), Ink: paint.RGB(0x1D1E21), Die: "br",
		Border: Border{Inset: 2, Width: 2, Color: paint.RGB(0x2A2A2E)},
		Rows:   []Row{{Left: 10, Right: 390, Top: 48, Height: 66, Gap: 6, Space: 8}}, Patterns: []string{"LLL-DDDD"},
		Texts: []Caption{{X: 200, Y: 14, Height: 17, MaxW: 250, Die: "caption", Ink: paint.RGB(0x1D1E21),
			Choice: []string{"SP-SAO PAULO", "PR-CURITIBA", "BA-SALVADOR", "RJ-NITEROI", "MG-CONTAGEM", "SC-JOINVILLE"}}},
		Bolts: []Point{{X: 75, Y: 22}, {X: 325, Y: 22}},
	}
	ms := Layout{
		Name: "br-mercosul", Region: "br", Width: 400, Height: 130, Corner: 9, Face: white, Ink: black, Die: "fe",
		Border: Border{Inset: 2, Width: 2, Color: black},
		Rows:   []Row{{Left: 26, Right: 380, Top: 46, Height: 68, Gap: 9, Space: 14}}, Patterns: []string{"LLLDLDD"},
		Bands: []Band{{X0: 3, Y0: 3, X1: 397, Y1: 33, Color: paint.RGB(0x173A8F), Text: "BRASIL", Ink: white, TextHeight: 16}},
		Bolts: []Point{{X: 110, Y: 18}, {X: 290, Y: 18}},
	}
	tw := Layout{
		Name: "tw", Region: "tw", Width: 380, Height: 160, Corner: 9, Face: white, Ink: black, Die: "din",
		Border: Border{Inset: 4, Width: 2, Color: paint.RGB(0x888888)},
		Rows:   []Row{{Left: 14, Right: 366, Top: 38, Height: 88, Gap: 5, Space: 8}}, Patterns: []string{"LLL-DDDD"},
		Letters: "ABCDEFGHJKLMNPQRSTUVWXYZ", Bolts: []Point{{X: 100, Y: 16}, {X: 280, Y: 16}},
	}
	two := Layout{
		Name: "eu-two", Region: "eu", Width: 280, Height: 200, Corner: 9, Face: white, Ink: black, Die: "din",
		Border: Border{Inset: 2.5, Width: 2.5, Color: black},
		Rows: []Row{{Left: 54, Right: 268, Top: 18, Height: 74, Gap: 10, Space: 24},
			{Left: 14, Right: 268, Top: 108, Height: 74, Gap: 10, Space: 24}},
		Bands: []Band{euBand("D", 44, 100)}, Patterns: []string{"LL/DDDDL", "LLL/DDDD", "L LL/DDDD"}, Bolts: []Point{{X: 140, Y: 8}, {X: 140, Y: 192}},
	}
	nlTwo := two
	nlTwo.Name, nlTwo.Face, nlTwo.Patterns, nlTwo.Letters = "nl-two", yellow, []string{"LL-DD/L-LL", "DD-LL/LL"}, nl.Letters
	nlTwo.Rows, nlTwo.Bands = slices.Clone(two.Rows), []Band{euBand("NL", 44, 100)}
	nlTwo.Patterns = []string{"LL-DD/LL", "LL/DDDL"}

	// Motorcycle plates, as the countries' rules give their measures.
	gbMoto := gbRear
	gbMoto.Name, gbMoto.Width, gbMoto.Height, gbMoto.Bands = "gb-moto", 229, 178, nil
	gbMoto.Rows = []Row{{Left: 9, Right: 220, Top: 18, Height: 64, Gap: 10, Space: 30}, {Left: 9, Right: 220, Top: 95, Height: 64, Gap: 10, Space: 30}}
	gbMoto.Texts, gbMoto.Bolts = nil, []Point{{X: 80, Y: 9}, {X: 149, Y: 9}}
	gbMoto.Patterns = []string{"LLDD/LLL", "LDDD/LLL"}
	esMoto := two
	esMoto.Name, esMoto.Width, esMoto.Height, esMoto.Letters = "es-moto", 220, 160, es.Letters
	esMoto.Rows = []Row{{Left: 40, Right: 212, Top: 14, Height: 60, Gap: 9, Space: 24}, {Left: 30, Right: 190, Top: 86, Height: 60, Gap: 9, Space: 24}}
	esMoto.Bands, esMoto.Patterns, esMoto.Bolts = []Band{euBand("E", 32, 80)}, []string{"DDDD/LLL"}, []Point{{X: 110, Y: 8}, {X: 110, Y: 153}}
	itMoto := two
	itMoto.Name, itMoto.Width, itMoto.Height, itMoto.Die, itMoto.Letters = "it-moto", 177, 177, "narrow", it.Letters
	itMoto.Border.Width = 0
	itMoto.Rows = []Row{{Left: 38, Right: 140, Top: 16, Height: 62, Gap: 10, Space: 24}, {Left: 10, Right: 167, Top: 98, Height: 62, Gap: 6, Space: 24}}
	itMoto.Bands, itMoto.Patterns, itMoto.Bolts = []Band{euBand("I", 30, 88)}, []string{"LL/DDDDD"}, []Point{{X: 60, Y: 9}, {X: 118, Y: 9}}
	brMoto := br
	brMoto.Name, brMoto.Width, brMoto.Height = "br-moto", 200, 170
	brMoto.Rows = []Row{{Left: 22, Right: 178, Top: 42, Height: 53, Gap: 7, Space: 8}, {Left: 10, Right: 190, Top: 105, Height: 53, Gap: 6, Space: 8}}
	brMoto.Texts = slices.Clone(br.Texts)
	brMoto.Texts[0].X, brMoto.Texts[0].Height, brMoto.Texts[0].MaxW = 100, 14, 120
	brMoto.Patterns, brMoto.Bolts = []string{"LLL/DDDD"}, []Point{{X: 28, Y: 20}, {X: 172, Y: 20}}
	msMoto := ms
	msMoto.Name, msMoto.Width, msMoto.Height = "br-mercosul-moto", 200, 170
	msMoto.Rows = []Row{{Left: 22, Right: 178, Top: 43, Height: 53, Gap: 9, Space: 8}, {Left: 12, Right: 188, Top: 107, Height: 53, Gap: 9, Space: 8}}
	msMoto.Bands = []Band{{X0: 3, Y0: 3, X1: 197, Y1: 31, Color: paint.RGB(0x173A8F), Text: "BRASIL", Ink: white, TextHeight: 13}}
	msMoto.Patterns, msMoto.Bolts = []string{"LLL/DLDD"}, []Point{{X: 40, Y: 17}, {X: 160, Y: 17}}
	usMoto := usPlate("us-moto", "CALIFORNIA", "", ArtNone, 0x1B2350, "DDLDDDD", "LLL DD", "DDDDL")
	usMoto.Width, usMoto.Height, usMoto.Vanity, usMoto.Texts = 178, 102, false, usMoto.Texts[:1]
	usMoto.Rows = []Row{{Left: 8, Right: 170, Top: 34, Height: 54, Gap: 5, Space: 12}}
	usMoto.Texts[0].X, usMoto.Texts[0].Y, usMoto.Texts[0].Height, usMoto.Texts[0].MaxW = 89, 10, 13, 100
	usMoto.Sticker, usMoto.Bolts = []Sticker{{8, 8, 22, 17}, {148, 8, 22, 17}}, []Point{{X: 40, Y: 8}, {X: 138, Y: 8}}

	m := make(map[string]*Layout)
	for _, l := range []Layout{nl, de, sk, cz, at, fr, it, es, pl, be, se, old, dark, gb, gbRear, gbPlain,
		ca, tx, fl, az, co, ny, wa, ohio, br, ms, tw, two, nlTwo,
		gbMoto, esMoto, itMoto, brMoto, msMoto, usMoto} {
		m[l.Name] = &l
	}
	return m
}()

// LayoutNames lists the layouts in alphabetical order.
func LayoutNames() []string { return slices.Sorted(maps.Keys(layouts)) }

// LayoutByName returns a copy of the layout, and whether there is one.
func LayoutByName(name string) (Layout, bool) {
	l, ok := layouts[name]
	if !ok {
		return Layout{}, false
	}
	return *l, true
}
