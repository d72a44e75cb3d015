package handover

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// maxJob bounds a job's text, in bytes.
const maxJob = 16 << 10

// Conn is one end of the socket. One goroutine may send while another receives.
type Conn struct {
	c   *net.UnixConn
	job Job
	in  []byte
	out []byte
}

// Pair makes both ends: the unit's, and the file that becomes the decoder's.
func Pair(j Job) (*Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	own, theirs := os.NewFile(uintptr(fds[0]), "decoder"), os.NewFile(uintptr(fds[1]), "unit")
	c, err := connOf(own, j)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return c, theirs, nil
}

// connOf takes the file over.
func connOf(f *os.File, j Job) (*Conn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, errors.New("not a UNIX socket")
	}
	return &Conn{c: u, job: j, in: make([]byte, wireSize+1)}, nil
}

// SendJob sends the job: the first message of all.
func (c *Conn) SendJob() error {
	b, err := json.Marshal(c.job)
	if err == nil {
		_, err = c.c.Write(b)
	}
	return err
}

// Accept is the decoder's end, with the job that it was given.
func Accept(f *os.File) (*Conn, Job, error) {
	var j Job
	c, err := connOf(f, j)
	if err != nil {
		return nil, j, err
	}
	b := make([]byte, maxJob)
	n, err := c.c.Read(b)
	if err == nil {
		err = json.Unmarshal(b[:n], &c.job)
	}
	if err != nil {
		c.Close()
		return nil, j, err
	}
	return c, c.job, nil
}

// Send sends a message. It is for one goroutine at a time.
func (c *Conn) Send(m Message) error {
	c.out = m.append(c.out[:0])
	_, err := c.c.Write(c.out)
	return err
}

// Receive waits for a message. [io.EOF] means that the other end is gone.
func (c *Conn) Receive() (Message, error) {
	n, err := c.c.Read(c.in)
	if err != nil {
		return Message{}, err
	}
	if n == 0 {
		return Message{}, io.EOF
	}
	return parse(c.in[:n], c.job)
}

// Close ends it, and every call that waits.
func (c *Conn) Close() error { return c.c.Close() }
