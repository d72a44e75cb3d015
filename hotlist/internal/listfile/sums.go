package listfile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"syscall"

	"platewatch/hotlist/entry"
)

// A list file is a bbolt file, followed by checksums of all its bytes:
//
//	bbolt pages                        n bytes
//	CRC-32C of each 64 KiB of them     4 bytes each, little endian
//	footer                             salt of the file's keys (16), check value of the key (8),
//	                                   magic (8), n (8), block size (4), CRC-32C of checksums and footer up to here (4)
//
// bbolt maps the whole file and never reads beyond its last page.

const (
	sumsBlock  = 64 << 10
	footerSize = saltSize + 8 + 24
)

var sumsMagic = [8]byte{'P', 'W', 'H', 'L', 'S', 'U', 'M', '2'}

// sumsMagicBefore marks unencrypted files, which earlier versions wrote.
var sumsMagicBefore = [8]byte{'P', 'W', 'H', 'L', 'S', 'U', 'M', '1'}

// sealFile appends checksums and footer to a finished bbolt file and syncs it.
func sealFile(path string, keys *Keys) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	sums := make([]byte, 0, 4*(size/sumsBlock+1)+footerSize)
	buf := make([]byte, sumsBlock)
	for off := int64(0); off < size; off += sumsBlock {
		block := buf[:min(sumsBlock, size-off)]
		if _, err := f.ReadAt(block, off); err != nil {
			return err
		}
		sums = binary.LittleEndian.AppendUint32(sums, crc32.Checksum(block, castagnoli))
	}
	sums = append(append(sums, keys.salt[:]...), keys.check[:]...)
	sums = append(sums, sumsMagic[:]...)
	sums = binary.LittleEndian.AppendUint64(sums, uint64(size))
	sums = binary.LittleEndian.AppendUint32(sums, sumsBlock)
	sums = binary.LittleEndian.AppendUint32(sums, crc32.Checksum(sums, castagnoli))
	if _, err := f.WriteAt(sums, size); err != nil {
		return err
	}
	return f.Sync()
}

// seal is the footer of a list file, with its checksums.
type seal struct {
	sums  []byte // 4 bytes a block
	salt  [saltSize]byte
	check [8]byte
}

// verifySums reads the whole file and compares it with its checksums. A mismatch, or
// a sector that cannot be read, is [entry.ErrDamaged].
func verifySums(ctx context.Context, f *os.File, s seal) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	sums := s.sums
	dataSize := size - int64(len(sums)) - footerSize
	buf := make([]byte, sumsBlock)
	for off := int64(0); off < dataSize; off += sumsBlock {
		if err := ctx.Err(); err != nil {
			return err
		}
		block := buf[:min(sumsBlock, dataSize-off)]
		if _, err := f.ReadAt(block, off); err != nil {
			return readFailure(err)
		}
		if crc32.Checksum(block, castagnoli) != binary.LittleEndian.Uint32(sums[off/sumsBlock*4:]) {
			return fmt.Errorf("%w: the checksum of bytes %d to %d is wrong", entry.ErrDamaged, off, off+int64(len(block))-1)
		}
	}
	return nil
}

// readSeal reads the footer and the checksums. Errors: [entry.ErrDamaged],
// [entry.ErrOlder], and those of the system.
func readSeal(f *os.File) (seal, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return seal{}, err
	}
	if size < footerSize {
		return seal{}, fmt.Errorf("%w: the file has only %d bytes", entry.ErrDamaged, size)
	}
	var footer [footerSize]byte
	if _, err := f.ReadAt(footer[:], size-footerSize); err != nil {
		return seal{}, readFailure(err)
	}
	s := seal{salt: [saltSize]byte(footer[:saltSize]), check: [8]byte(footer[saltSize:])}
	ends := footer[saltSize+8:]
	if [8]byte(ends) == sumsMagicBefore {
		return seal{}, entry.ErrOlder
	}
	n := binary.LittleEndian.Uint64(ends[8:])
	if [8]byte(ends) != sumsMagic || binary.LittleEndian.Uint32(ends[16:]) != sumsBlock || n > uint64(size) {
		return seal{}, fmt.Errorf("%w: its footer is missing or overwritten", entry.ErrDamaged)
	}
	blocks := (int64(n) + sumsBlock - 1) / sumsBlock
	if int64(n)+4*blocks+footerSize != size {
		return seal{}, fmt.Errorf("%w: the file has %d bytes instead of %d", entry.ErrDamaged, size, int64(n)+4*blocks+footerSize)
	}
	s.sums = make([]byte, 4*blocks)
	if _, err := f.ReadAt(s.sums, int64(n)); err != nil {
		return seal{}, readFailure(err)
	}
	sum := crc32.Update(crc32.Checksum(s.sums, castagnoli), castagnoli, footer[:footerSize-4])
	if sum != binary.LittleEndian.Uint32(footer[footerSize-4:]) {
		return seal{}, fmt.Errorf("%w: the checksum of the footer is wrong", entry.ErrDamaged)
	}
	return s, nil
}

// readFailure makes errors of a medium that can no longer read its data
// [entry.ErrDamaged], and returns others as they are.
func readFailure(err error) error {
	if errors.Is(err, syscall.EIO) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", entry.ErrDamaged, err)
	}
	return err
}
