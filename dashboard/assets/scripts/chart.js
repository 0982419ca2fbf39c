// The chart of attempts a second. Its numbers also stand in a table, for those who can't see it.
(() => {
  const WINDOW = 300;

  const clock = (second) => new Date(second * 1000).toLocaleTimeString([], { hourCycle: "h23" });

  class Chart {
    constructor(box) {
      this.box = box;
      this.readout = document.getElementById("chart-readout");
      this.seconds = new Map();
      this.take(JSON.parse(box.dataset.points));
      this.now = Math.floor(Number(box.dataset.now) / 1000);
      this.build();
      new ResizeObserver(() => this.resize()).observe(box);
      document.addEventListener("theme", () => this.build());
      document.addEventListener("rates", (event) => this.step(JSON.parse(event.detail.data)));
    }

    take(points) {
      for (const [second, delivered, failed] of points) this.seconds.set(second, [delivered, failed]);
    }

    step({ now, points }) {
      this.now = Math.floor(now / 1000);
      this.take(points);
      for (const second of this.seconds.keys()) {
        if (second < this.now - WINDOW) this.seconds.delete(second);
      }
      this.plot.setData(this.data());
      this.read();
    }

    // The second under way is not whole yet: it would always show a dip.
    data() {
      const times = Array.from({ length: WINDOW }, (_, at) => this.now - WINDOW + at);
      const at = (second, which) => this.seconds.get(second)?.[which] ?? 0;
      // Nothing is drawn where nothing happens: two lines on the ground would hide each other.
      const line = (which) => times.map((s) => {
        const busy = at(s - 1, which) || at(s, which) || at(s + 1, which);
        return busy ? at(s, which) : null;
      });
      return [times, line(0), line(1)];
    }

    // A canvas does not know the page's variables: an element has to resolve them.
    colour(name) {
      this.box.style.color = `var(${name})`;
      return getComputedStyle(this.box).color;
    }

    size() {
      return { width: Math.max(this.box.clientWidth, 200), height: this.box.clientHeight || 200 };
    }

    build() {
      this.plot?.destroy();
      const line = this.colour("--line");
      const text = this.colour("--ink-soft");
      const font = "12px ui-sans-serif, system-ui, sans-serif";
      const axis = { stroke: text, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
      const series = (name) => ({
        stroke: this.colour(`--${name}-strong`), fill: this.colour(`--${name}-wash`), width: 1.75, points: { show: false },
      });
      this.plot = new uPlot({
        ...this.size(),
        padding: [10, 4, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
        scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(4, Math.ceil(max * 1.15))] } },
        axes: [
          { ...axis, grid: { show: false }, space: 64, incrs: [60, 120, 300], size: 28, values: (_, all) => all.map((s) => clock(s).slice(0, 5)) },
          { ...axis, size: 44, space: 34, values: (_, all) => all.map((v) => (Number.isInteger(v) ? v.toLocaleString("en") : "")) },
        ],
        series: [{}, series("good"), series("bad")],
        hooks: { setCursor: [() => this.read()] },
      }, this.data(), this.box);
      this.read();
    }

    resize() {
      const { width, height } = this.size();
      if (width !== this.plot.width || height !== this.plot.height) this.plot.setSize({ width, height });
    }

    read() {
      const at = this.plot?.cursor.idx;
      if (at == null) {
        this.readout.textContent = "last 5 minutes";
        return;
      }
      const [times, delivered, failed] = this.plot.data;
      this.readout.textContent = `${clock(times[at])} · ${delivered[at] ?? 0} delivered, ${failed[at] ?? 0} failed`;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("chart");
    if (box) new Chart(box);
  });
})();
