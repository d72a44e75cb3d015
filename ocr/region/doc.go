// Package region knows which texts number plates carry: the formats of the
// countries, as data, and how likely they make a text. It is pure Go.
//
// The formats are the .txt files in data, one for each part of the world, with
// their sources. A file is made of lines:
//
//	# remark
//	vanity 8                    percent of plates that fit no format
//	letters ABCDEFGHJKL…        what l stands for
//	group eu at be bg …         a name for several sections …
//	group eu 0.15 ch no …       … of which some count for less
//	[nl] Netherlands            a section: one country, state or kind of plate
//	cars 8.9                    millions: how much it counts beside others
//	list county AB AG AR …      words for {county}
//	28 ldddll  since 2019       a format: weight in its section, pattern, remark
//
// vanity and letters hold for the section they stand in, or before the first
// section for all of the file. In a pattern
//
//	l         one of the letters
//	a         any letter
//	d n       a figure, a figure but 0
//	x         one of the letters, or a figure
//	[EH]      one of these
//	{county}  a word of the list
//	A 7       itself
//	?         what stands before it may be missing, which is as likely as not
//
// Separators, emblems and stickers are no part of a text, and letters with
// marks (Ä, Č) stand as the bare letter: that is what the reader gives.
//
// A region's name, as -region and the configuration take it, is a section
// ("nl", "br-mercosul", "us-ca"), a group ("eu"), or what stands before the
// sections' hyphen ("br", "us").
package region
