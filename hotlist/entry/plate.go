package entry

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxPlate is the longest plate of an entry or a query, in characters. No
// country's plates have more than ten.
const MaxPlate = 16

// latinFor maps letters that Unicode does not decompose into Latin ones. The
// Cyrillic and Greek capitals are those that plates use because they look like
// Latin letters (Vienna Convention on Road Traffic, annex 2).
var latinFor = map[rune]string{
	'Æ': "AE", 'Œ': "OE", 'Ø': "O", 'Đ': "D", 'Ð': "D", 'Ł': "L", 'Þ': "TH", 'ẞ': "SS", 'ß': "SS", 'ı': "I",
	'А': "A", 'В': "B", 'Е': "E", 'К': "K", 'М': "M", 'Н': "H", 'О': "O", 'Р': "P", 'С': "C", 'Т': "T",
	'У': "Y", 'Х': "X", 'І': "I", 'Ј': "J", 'Ѕ': "S",
	'Α': "A", 'Β': "B", 'Ε': "E", 'Ζ': "Z", 'Η': "H", 'Ι': "I", 'Κ': "K", 'Μ': "M", 'Ν': "N", 'Ο': "O",
	'Ρ': "P", 'Τ': "T", 'Υ': "Y", 'Χ': "X",
}

// Normalize reduces a plate to capital letters A-Z and digits 0-9. It drops
// spaces, hyphens, symbols and diacritics, and replaces letters that look like
// Latin ones. It is idempotent.
func Normalize(s string) string {
	if isNormal(s) {
		return s
	}
	return string(AppendNormal(make([]byte, 0, len(s)), s))
}

func isNormal(s string) bool {
	for i := range len(s) {
		if !IsPlateByte(s[i]) {
			return false
		}
	}
	return true
}

// IsPlateByte reports whether c is one of A-Z and 0-9.
func IsPlateByte(c byte) bool { return 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' }

// AppendNormal appends s, normalised, to dst. It does not allocate for ASCII.
func AppendNormal(dst []byte, s string) []byte {
	for _, r := range s {
		if r < 0x80 {
			dst = appendASCII(dst, r)
			continue
		}
		if latin, ok := latinFor[unicode.ToUpper(r)]; ok {
			dst = append(dst, latin...)
			continue
		}
		if latin, ok := latinFor[r]; ok {
			dst = append(dst, latin...)
			continue
		}
		// Letters and digits only: the numero sign would decompose into NO.
		if !unicode.IsLetter(r) && !unicode.Is(unicode.Nd, r) {
			continue
		}
		for _, d := range norm.NFKD.String(string(r)) {
			dst = appendASCII(dst, d)
		}
	}
	return dst
}

func appendASCII(dst []byte, r rune) []byte {
	switch {
	case 'a' <= r && r <= 'z':
		return append(dst, byte(r)-'a'+'A')
	case r < 0x80 && IsPlateByte(byte(r)):
		return append(dst, byte(r))
	}
	return dst
}

// Fold replaces O by 0 and I by 1 in a normalised plate: many typefaces of
// plates, and many hotlists, do not distinguish them.
func Fold(s string) string {
	for i := range len(s) {
		if FoldByte(s[i]) != s[i] {
			b := []byte(s)
			foldBytes(b)
			return string(b)
		}
	}
	return s
}

func foldBytes(b []byte) {
	for i, c := range b {
		b[i] = FoldByte(c)
	}
}

// FoldByte is [Fold] of one character.
func FoldByte(c byte) byte {
	switch c {
	case 'O':
		return '0'
	case 'I':
		return '1'
	}
	return c
}
