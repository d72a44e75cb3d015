// Package rtsptest is a small RTSP server that plays H.264 clips from memory:
// the camera of the demo and of the tests.
//
//	stream, err := rtsptest.Transcode(ctx, "clip.mp4")
//	clip, err := rtsptest.ParseAnnexB(stream)
//	s := rtsptest.New("127.0.0.1:0")
//	err = s.Add("gate", rtsptest.Options{}, clip)
//	err = s.Start()
//	defer s.Close()
//	fmt.Println(s.URL("gate"))
//
// A path plays its clips one after the other at the pace of their frames.
// Every reader gets them from the first frame on, or, with Options.Live, what
// the camera shows just now. At the end of the last clip the readers are told
// so (RTCP BYE) and disconnected.
package rtsptest
