// Package region has the plate formats of countries, as data, and computes how
// likely they make a text. It is pure Go.
//
// The formats are the .txt files in data, one for each part of the world, with
// their sources. A file consists of lines:
//
//	# remark
//	vanity 8                    percent of plates that fit no format
//	short 1                     fewest characters of those, where fewer than 4 are common
//	shape 4.64                  a car's plate's width over its height
//	letters ABCDEFGHJKL…        the letters that l matches
//	group eu at be bg …         a name for several sections …
//	group eu 0.15 ch no …       … some of them with a lower weight
//	[nl] Netherlands            a section: one country, state or kind of plate
//	cars 8.9                    millions: its weight beside others
//	list county AB AG AR …      words for {county}
//	28 ldddll  since 2019       a format: weight in its section, pattern, remark
//	says LIVE FREE OR DIE       what the plates say beside the number; the name first
//	band D                      the signs in the plates' blue band
//	yellow 97                   percent of plates with a yellow ground
//	red 85                      percent of plates with red characters
//
// vanity, short, shape, letters, yellow and red apply to their section, or, before the first
// section, to all of the file. In a pattern
//
//	l         one of the letters
//	a         any letter
//	d n       a figure, a figure other than 0
//	x         one of the letters, or a figure; O and I too, which look like 0 and 1; and
//	          a d between two of these does not tell them apart either
//	[EH]      one of these
//	{county}  a word of the list
//	A 7       itself
//	?         the element before it may be missing, with probability one half
//
// Texts have no separators, emblems and stickers, and letters with diacritics
// (Ä, Č) are written as the bare letter, as the reader gives them.
//
// A region's name, as -region and the configuration take it, is a section
// ("nl", "br-mercosul", "us-ca"), a group ("eu"), or the part of the sections'
// names before the hyphen ("br", "us").
package region
