package journal

import (
	"fmt"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// Format is the format of the database and of the files beside it. It is increased
// when programs that know only the one before cannot use them: what they need not know
// is added without that, so that a step back to the version before works.
const Format = 1

// bucketFormat holds the format under its own name, in digits: programs from before it
// look into no bucket that they do not know. Their files have none, and format 1.
var bucketFormat = []byte("format")

// CheckFormat refuses a format that is not known: [ErrNewer]. Zero is that of files
// from before formats were written, which is 1.
func CheckFormat(format int) error {
	if format > Format {
		return fmt.Errorf("%w: it has format %d, and this version knows %d", ErrNewer, format, Format)
	}
	return nil
}

// formatOf checks the format of a database. Digits that are none are damage, which its
// reader finds.
func formatOf(tx *bolt.Tx) error {
	b := tx.Bucket(bucketFormat)
	if b == nil {
		return nil
	}
	format, err := strconv.Atoi(string(b.Get(bucketFormat)))
	if err != nil {
		return nil
	}
	return CheckFormat(format)
}

// putFormat notes the format in a new database.
func putFormat(tx *bolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists(bucketFormat)
	if err != nil {
		return err
	}
	return b.Put(bucketFormat, []byte(strconv.Itoa(Format)))
}
