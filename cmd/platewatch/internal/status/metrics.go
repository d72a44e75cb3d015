package status

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"platewatch/uplink/message"
)

// metrics serves everything in the document, and the Go runtime's metrics of the
// process, from a registry of its own. No label ever contains a plate.
func (s *Server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&collector{s},
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: writeTimeout / 2})
}

// collector turns the document into metrics at every scrape.
type collector struct{ server *Server }

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("platewatch_"+name, help, labels, nil)
}

// The metrics of a unit.
var (
	mBuild       = metric("build_info", "Always 1; the labels identify the program.", "unit", "version", "revision", "go")
	mStart       = metric("start_time_seconds", "Start time of the unit, Unix time.")
	mDiskFree    = metric("disk_free_bytes", "Free space of the file system that holds the outbox.")
	mDiskSize    = metric("disk_size_bytes", "Size of that file system.")
	mTemperature = metric("temperature_celsius", "Highest temperature of the board.")
	mClock       = metric("clock_synchronized", "1 while the clock is synchronised.")
	mProgress    = metric("progress_timestamp_seconds", "Last loop iteration of the slowest camera pipeline, Unix time.")
	mCondition   = metric("condition", "Condition of the unit: 0 ok, 1 a person should look after it, 2 it does not do its work.")
	mProblems    = metric("problems", "Problems that need a person, by what they are about.", "about")
	mReady       = metric("ready", "1 while /readyz succeeds.")
	mOnline      = metric("camera_online", "1 while the camera delivers frames.", "camera")
	mFPS         = metric("camera_frames_per_second", "Frames a second that the camera delivers.", "camera")
	mFrames      = metric("camera_frames_total", "Frames that the camera delivered.", "camera")
	mDrops       = metric("camera_frames_dropped_total", "Frames that were not searched for plates.", "camera", "reason")
	mLost        = metric("camera_lost_ratio", "Share of the last minute's frames that came too late or unusable.", "camera")
	mOpens       = metric("camera_opens_total", "Number of times the camera was opened.", "camera")
	mFrameAt     = metric("camera_last_frame_timestamp_seconds", "Its last frame, Unix time.", "camera")
	mLook        = metric("camera_look_seconds", "Duration of finding and reading in one frame.", "camera")
	mFailures    = metric("camera_failures_total", "Frames that could not be processed.", "camera")
	mStill       = metric("camera_frames_still_total", "Frames not searched, because nothing moved.", "camera")
	mFullLooks   = metric("camera_full_looks_total", "Frames searched completely.", "camera")
	mPlateBright = metric("camera_plate_brightness", "Median grey level of the background of recent plates, 0 to 255.", "camera")
	mPlateHeight = metric("camera_plate_character_pixels", "Median height of the characters of recent plates.", "camera")
	mPlateBlur   = metric("camera_plate_blur_pixels", "Median width of a stroke's edge on recent plates.", "camera")
	mPlateFault  = metric("camera_plate_fault_ratio", "Share of recent plates with a fault: over, under, blurred, small.", "camera", "fault")
	mControl     = metric("camera_control", "A control of the camera as read back, in the driver's units.", "camera", "control")
	mPlates      = metric("camera_plates_total", "Plates read in single frames.", "camera")
	mPlatesAgain = metric("camera_plates_again_total", "Plates in camera_plates_total taken from memory, because nothing had changed there or they were read moments before.", "camera")
	mCamPassages = metric("camera_passages_total", "Passages of vehicles.", "camera")
	mPassages    = metric("passages_total", "Passages of vehicles, all cameras.")
	mHits        = metric("hits_total", "Passages that matched the hotlist.")
	mListHits    = metric("list_hits_total", "Hits by list and category; a hit counts for each of its matches.", "list", "category")
	mVerdicts    = metric("verdicts", "Hits that persons found right or wrong, among the newest 100 verdicts of a list and way of matching.", "list", "how", "verdict")
	mWrong       = metric("verdicts_wrong_ratio", "Share of these that were wrong.", "list", "how")
	mWrongMany   = metric("verdicts_too_many_wrong", "1 while that share is above the unit's bound.", "list", "how")
	mIgnored     = metric("verdicts_ignored_total", "Verdicts that were ignored: about hits that the unit did not send, older ones, not valid, retained, or too many.")
	mListMissing = metric("hotlist_missing", "1 while a list that the unit should hold is not there.", "list")
	mListOverdue = metric("hotlist_overdue", "1 while a list has expired and no newer version arrived.", "list")
	mListExpires = metric("hotlist_expires_timestamp_seconds", "When a newer version of a signed list is due, Unix time.", "list")
	mHotlistOpen = metric("hotlist_open", "1 while the hotlist is open.")
	mEntries     = metric("hotlist_entries", "Entries of a list.", "list")
	mImported    = metric("hotlist_imported_timestamp_seconds", "Time of a list's import, Unix time.", "list")
	mOutboxOpen  = metric("outbox_open", "1 while the outbox is open.")
	mPending     = metric("outbox_pending", "Messages that wait for the server.")
	mOutboxBytes = metric("outbox_bytes", "Size of the outbox on disk.")
	mOutboxMax   = metric("outbox_max_bytes", "Bound of the outbox on disk.")
	mOldest      = metric("outbox_oldest_timestamp_seconds", "Acceptance of the oldest waiting message, Unix time; absent if none waits.")
	mUnsaved     = metric("outbox_unsaved", "Waiting messages held in memory only, because the disk cannot be written.")
	mAwaiting    = metric("outbox_awaiting_server", "Messages that the broker has and the server has not acknowledged yet.")
	mOutboxDrops = metric("outbox_dropped_total", "Messages dropped, by reason.", "reason")
	mDelivery    = metric("delivery_seconds", "Time from a hit to its acknowledgement.")
	mCertificate = metric("uplink_certificate_expires_timestamp_seconds", "End of the unit's certificate for the broker, Unix time.")
	mPageCert    = metric("page_certificate_expires_timestamp_seconds", "End of the status page's certificate, Unix time; absent without TLS.")
	mConnected   = metric("uplink_connected", "1 while a broker is connected.")
	mDelivered   = metric("uplink_delivered_total", "Messages acknowledged.")
	mViewers     = metric("status_viewers", "Viewers of live pictures.")
	mSlow        = metric("status_slow_viewers_dropped_total", "Streams ended because their client was too slow.")
	mRefused     = metric("status_viewers_refused_total", "Viewers refused at the bound.")
)

// Describe sends nothing, because the labels depend on the unit: an unchecked
// collector. The tests check the metrics instead.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

func (c *collector) Collect(out chan<- prometheus.Metric) {
	doc, _ := c.server.snapshot.get()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) { send(d, prometheus.GaugeValue, v, labels...) }
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		send(d, prometheus.CounterValue, float64(v), labels...)
	}

	gauge(mBuild, 1, doc.Unit, doc.Version.Version, doc.Version.Revision, doc.Version.Go)
	gauge(mStart, unix(doc.Started))
	if d := doc.Disk; d != nil {
		gauge(mDiskFree, float64(d.Free))
		gauge(mDiskSize, float64(d.Total))
	}
	if doc.Temperature != nil {
		gauge(mTemperature, *doc.Temperature)
	}
	// Time stamps, not ages: an age is wrong as soon as it was scraped.
	ago := func(age Seconds) float64 { return unix(doc.Now) - float64(age) }
	histogram := func(d *prometheus.Desc, h Histogram, labels ...string) {
		upTo, count := h.cumulative()
		out <- prometheus.MustNewConstHistogram(d, count, h.Sum, upTo, labels...)
	}
	gauge(mClock, truth(doc.Clock.State == ClockSynchronised))
	gauge(mProgress, ago(doc.ProgressAge))
	gauge(mReady, truth(doc.Condition.ready()))
	gauge(mCondition, map[Level]float64{Warn: 1, Bad: 2}[doc.Condition.Level])
	problems := map[string]float64{"cameras": 0, "outbox": 0, "hotlist": 0, "uplink": 0, "clock": 0}
	for _, p := range doc.Condition.needing() {
		problems[p.About]++
	}
	for about, n := range problems {
		gauge(mProblems, n, about)
	}

	for _, cam := range doc.Cameras {
		gauge(mOnline, truth(cam.State == "online"), cam.Name)
		gauge(mFPS, cam.FPS, cam.Name)
		gauge(mLost, cam.Lost, cam.Name)
		counter(mFrames, cam.Frames, cam.Name)
		for reason, n := range cam.Drops {
			counter(mDrops, n, cam.Name, reason)
		}
		counter(mOpens, cam.Opens, cam.Name)
		if cam.Frames > 0 {
			gauge(mFrameAt, ago(cam.LastFrame), cam.Name)
		}
		histogram(mLook, cam.Look.All, cam.Name)
		counter(mFailures, cam.Failures, cam.Name)
		counter(mPlates, cam.Plates, cam.Name)
		counter(mPlatesAgain, cam.Again, cam.Name)
		counter(mCamPassages, cam.Passages, cam.Name)
		counter(mStill, cam.Still, cam.Name)
		counter(mFullLooks, cam.FullLooks, cam.Name)
		if l := cam.Light; l != nil {
			gauge(mPlateBright, l.Bright, cam.Name)
			gauge(mPlateHeight, l.Height, cam.Name)
			gauge(mPlateBlur, l.Blur, cam.Name)
			for fault, share := range map[string]float64{"over": l.Over, "under": l.Under, "blurred": l.Blurred, "small": l.Small} {
				gauge(mPlateFault, share, cam.Name, fault)
			}
		}
		for _, k := range cam.Controls {
			gauge(mControl, float64(k.Value), cam.Name, k.Name)
		}
	}
	counter(mPassages, doc.Passages)
	counter(mHits, doc.Hits)
	for _, n := range doc.HitCounts {
		counter(mListHits, n.Hits, n.List, n.Category)
	}
	ignored := uint64(0)
	if v := doc.Verdicts; v != nil {
		ignored = v.Ignored
		for _, n := range v.Counts {
			gauge(mVerdicts, float64(n.Right), n.List, n.How, string(message.Right))
			gauge(mVerdicts, float64(n.Wrong), n.List, n.How, string(message.Wrong))
			gauge(mWrong, float64(n.Wrong)/float64(max(n.Right+n.Wrong, 1)), n.List, n.How)
			gauge(mWrongMany, truth(n.TooMany), n.List, n.How)
		}
	}
	counter(mIgnored, ignored)

	gauge(mHotlistOpen, truth(doc.Hotlist.Open))
	for _, l := range doc.Hotlist.Lists {
		gauge(mListMissing, truth(l.Missing), l.Name)
		gauge(mListOverdue, truth(l.Overdue), l.Name)
		if !l.Expires.IsZero() {
			gauge(mListExpires, unix(l.Expires), l.Name)
		}
		if l.Missing {
			continue
		}
		gauge(mEntries, float64(l.Entries), l.Name)
		gauge(mImported, unix(l.Imported), l.Name)
	}
	gauge(mOutboxOpen, truth(doc.Outbox.Open))
	gauge(mPending, float64(doc.Outbox.Pending))
	gauge(mOutboxBytes, float64(doc.Outbox.Bytes))
	gauge(mOutboxMax, float64(doc.Outbox.MaxBytes))
	if doc.Outbox.Pending > 0 {
		gauge(mOldest, ago(doc.Outbox.OldestAge))
	}
	gauge(mUnsaved, float64(doc.Outbox.Unsaved))
	gauge(mAwaiting, float64(doc.Outbox.Awaiting))
	for reason, n := range doc.Outbox.Dropped {
		counter(mOutboxDrops, n, reason)
	}
	gauge(mConnected, truth(doc.Uplink.State == "connected"))
	counter(mDelivered, doc.Uplink.Delivered)
	histogram(mDelivery, doc.Uplink.Delivery)
	if !doc.Uplink.Certificate.IsZero() {
		gauge(mCertificate, unix(doc.Uplink.Certificate))
	}
	if doc.Page != nil && !doc.Page.Expires.IsZero() {
		gauge(mPageCert, unix(doc.Page.Expires))
	}

	gauge(mViewers, float64(c.server.viewers.count(time.Now())))
	counter(mSlow, c.server.slowDropped.Load())
	counter(mRefused, c.server.refused.Load())
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
