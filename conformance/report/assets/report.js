"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const panel = document.getElementById("panel");
  const links = [...document.querySelectorAll("a[data-group]")];
  const cellsOf = (link) => [...link.querySelectorAll("[data-cell]")].map((mark) => +mark.dataset.cell);
  for (const one of document.querySelectorAll("li[id]")) one.removeAttribute("id"); // the goals of links without this script
  const home = new Map(links.flatMap((link) => cellsOf(link).map((cell) => [cell, link])));

  // ---------------------------------------------------------------------------- small helpers

  /** An element; texts are texts, never markup. */
  function make(tag, given, ...inside) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given || {})) {
      if (value === null || value === undefined || value === "") continue;
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name, value);
    }
    made.append(...inside.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== ""));
    return made;
  }

  const minus = (text) => text.replace(/-/g, "\u2212");
  const sup = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

  /** A number as one writes it: 1.6 × 10⁻⁶. */
  function number(x, digits = 4) {
    if (x === null || x === undefined) return "\u2013";
    if (typeof x !== "number") return x === "nan" ? "not a number" : minus(x).replace("inf", "\u221e");
    if (Number.isInteger(x) && Math.abs(x) < 1e15) return minus(x.toLocaleString("en"));
    if ((Math.abs(x) >= 1e-4 && Math.abs(x) < 1e6)) {
      const short = Number(x.toPrecision(digits));
      return minus(Math.abs(short) >= 1e4 ? short.toLocaleString("en") : String(short));
    }
    const [head, exponent] = x.toExponential(Math.min(digits, 3) - 1).split("e");
    const power = [...exponent.replace("+", "")].map((c) => (c === "-" ? "\u207b" : sup[c])).join("");
    return `${minus(String(Number(head)))} \u00d7 10${power}`;
  }

  const count = (n) => n.toLocaleString("en");
  const share = (x) => (x === 0 ? "none" : x < 1e-4 ? "less than 0.01 %" : `${number(x * 100, 3)} %`);
  /** As a sentence: with a capital, unless a name begins it, and with a stop. */
  const capital = (text) => text && text.replace(/^[a-z]+(?=[ ,;]|$)/, (word) => word[0].toUpperCase() + word.slice(1)) + (/[.!?…]$/.test(text) ? "" : ".");
  const text = (place) => (place === undefined ? "" : data.texts[place]);

  /** What is known of a cell: its kind, its row and, where there was room, all the rest. */
  function known(cell) {
    const [outcome, tier, stream, shape, layout, dtype, n] = data.kinds[data.places[cell]];
    const [seed, scale, half, least, p] = data.rows[cell] || [];
    const [word, style, glyph, said] = data.outcomes[outcome];
    return { cell, word, style, glyph, said, tier, stream, shape, layout, dtype, n, seed, scale, half, least, p,
      ...data.full[cell], whole: cell in data.full };
  }

  // --------------------------------------------------------------------------------- pictures

  const heights = (code) => [...code].map((c) => (c.charCodeAt(0) - 35) / 91);
  const round = (x) => Math.round(x * 10) / 10;
  const line = (points) => "M" + points.map(([x, y]) => `${round(x)} ${round(y)}`).join("L");

  /** Bars from left to right as one path. */
  function bars(values, x, y, height) {
    let path = `M${round(x(0))} ${y}`;
    values.forEach((value, i) => { path += `V${round(y - value * height)}H${round(x(i + 1))}`; });
    return `${path}V${y}Z`;
  }

  /** Round numbers in a range. */
  function ticks(low, high, most) {
    const rough = (high - low) / most, unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((f) => f * unit).find((one) => one >= rough);
    const found = [];
    for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12) + step * 1e-9; k++) found.push(k * step);
    return found;
  }

  /** The law over a row of bins: along their middles, and straight down where it ends. */
  function curve(values, x, y, height) {
    const points = [[x(0), y]];
    const end = (value, inner) => Math.max(0, 1.5 * value - 0.5 * (inner || value)); // as the law goes on
    values.forEach((value, i) => {
      if (value > 0.04 && !values[i - 1]) points.push([x(i), y], [x(i), y - end(value, values[i + 1]) * height]);
      points.push([x(i + 0.5), y - value * height]);
      if (value > 0.04 && !values[i + 1]) points.push([x(i + 1), y - end(value, values[i - 1]) * height], [x(i + 1), y]);
    });
    return line([...points, [x(values.length), y]]);
  }

  function spark(one) {
    const found = heights(one.bars), n = found.length, x = (i) => (i / n) * 132;
    return `<svg viewBox="0 0 132 44"><path class="bars" d="${bars(found, x, 43, 42)}"/>`
      + `<path class="curve" d="${curve(heights(text(one.curve)), x, 43, 42)}"/></svg>`;
  }

  /** Histogram and law, and under it the difference of the distribution functions, on one axis. */
  function picture(one, width) {
    const found = heights(one.bars), n = found.length, [low, high] = one.range;
    const left = 1, right = width - 1, x = (i) => left + (i / n) * (right - left);
    const y0 = 22, base = 190, top = 226, height = 104, middle = top + height / 2, foot = top + height;
    const gaps = heights(one.gaps).map((h) => (h - 0.5) * 2);
    const y = (gap) => middle - (gap * height) / 2;
    const within = one.band === undefined ? Infinity : one.band / one.reach;
    const far = gaps.reduce((best, gap, i) => (Math.abs(gap) > Math.abs(gaps[best]) ? i : best), 0);
    const out = Math.abs(gaps[far]) > within;
    const parts = [
      `<text x="${left}" y="12" class="strong">Values and law</text>`,
      `<path class="bars" d="${bars(found, x, base, base - y0)}"/>`,
      `<line class="axis" x1="${left}" x2="${right}" y1="${base}" y2="${base}"/>`,
      `<path class="curve" d="${curve(heights(text(one.curve)), x, base, base - y0)}"/>`,
      `<rect x="${right - 106}" y="4" width="12" height="9" class="bars"/><text x="${right - 90}" y="12">values</text>`,
      `<line x1="${right - 42}" x2="${right - 26}" y1="8.5" y2="8.5" class="curve"/><text x="${right - 22}" y="12">law</text>`,
      `<text x="${left}" y="${top - 8}" class="strong">Difference of the distribution functions</text>`,
    ];
    if (within <= 1) {
      parts.push(`<rect class="band" x="${left}" width="${right - left}" y="${round(y(within))}" height="${round(y(-within) - y(within))}"/>`);
      for (const side of [1, -1]) {
        const at = round(y(side * within));
        parts.push(`<line class="edge" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/>`);
      }
      const above = round(y(within)) - 5, at = above < top + 8 ? above + 19 : above;
      parts.push(`<text x="${right}" y="${at}" text-anchor="end" class="halo">refused beyond \u00b1${number(one.band, 3)}</text>`);
    }
    parts.push(`<line class="zero" x1="${left}" x2="${right}" y1="${middle}" y2="${middle}"/>`);
    parts.push(`<path class="gaps${out ? " out" : ""}" d="${line([...gaps.entries()].map(([i, gap]) => [x(i), y(gap)]))}"/>`);
    if (out) parts.push(`<circle class="dot" r="4" cx="${round(x(far))}" cy="${round(y(gaps[far]))}"/>`);
    parts.push(`<line class="axis" x1="${left}" x2="${right}" y1="${foot}" y2="${foot}"/>`);
    for (const tick of ticks(low, high, width < 460 ? 4 : 7)) {
      const at = round(left + ((tick - low) / (high - low)) * (right - left));
      parts.push(`<line class="axis" x1="${at}" x2="${at}" y1="${foot}" y2="${foot + 4}"/>`);
      const where = at < left + 14 ? "start" : at > right - 14 ? "end" : "middle";
      parts.push(`<text x="${at}" y="${foot + 18}" text-anchor="${where}">${number(Math.abs(tick) < (high - low) * 1e-9 ? 0 : tick, 3)}</text>`);
    }
    const greatest = Math.abs(gaps[far]) * one.reach;
    const label = `Histogram of ${count(one.n)} values from ${number(low)} to ${number(high)} beside the law. `
      + `The distribution functions differ by at most ${number(greatest, 2)}`
      + (within <= 1 ? `; beyond ${number(one.band, 2)} they would be refused.` : ".");
    const svg = `<svg role="img" aria-label="${label}" viewBox="0 0 ${width} ${foot + 22}" width="${width}" height="${foot + 22}">${parts.join("")}</svg>`;
    const notes = [];
    if (one.clipped) notes.push(`A spike holds ${share(one.clipped)} and is cut off at the top.`);
    if (one.beyond) notes.push(`Of the values ${share(one.beyond[0])} lie beyond the left end, ${share(one.beyond[1])} beyond the right.`);
    if (within > 1) notes.push("No band is shown: this test has none for values that depend on each other, or that are fixed.");
    const figure = make("figure");
    figure.innerHTML = svg; // of numbers and words of this script alone
    if (notes.length) figure.append(make("figcaption", {}, notes.join(" ")));
    return figure;
  }

  // ----------------------------------------------------------------------------------- panel

  const row = (tag, values, given) => make("tr", given, values.map((one, i) => make(tag || (i ? "td" : "th"), tag ? { scope: "col" } : i ? {} : { scope: "row" }, one)));
  const table = (label, head, rows) => make("div", { class: "wide" },
    make("table", { class: "numbers", "aria-label": label }, make("thead", {}, row("th", head)), make("tbody", {}, rows)));

  function moments(one) {
    const names = ["mean", "standard deviation", "skewness", "excess kurtosis"];
    const rows = names.map((name, i) => row("", [name, number(one.measured[i], 5), number(one.law[i], 5)]));
    if (one.scale !== null && one.scale !== undefined) {
      rows.push(row("", [make("span", {}, "scale", make("small", {}, "root mean square about the law's mean, with its interval")),
        `${number(one.scale)} \u00b1 ${number(one.half, 2)}`, "1"]));
    }
    return table("Moments", ["", "measured", "law"], rows);
  }

  function tests(one) {
    const rows = one.tests.map(([test, statistic, p, verdict, least, unit, note]) => {
      const [name, about] = data.tests[test], [, style, glyph, said] = data.outcomes[verdict || 0];
      const near = p === "nan" ? 1 : p > 0 ? Math.min(1, Math.log(p) / Math.log(one.level)) : 1;
      const bar = make("span", { class: `track ${style}`, "aria-hidden": "true" }, make("span"));
      bar.firstChild.style.width = `${Math.max(near, 0) * 100}%`;
      const sees = least === null || least === undefined ? "" : `${text(unit ?? undefined)}: seen from ${number(least, 2)} on`;
      const more = [about, sees, note === undefined || note === null ? "" : text(note)].filter(Boolean);
      return row("", [
        make("span", {}, make("b", {}, name), more.map((line) => make("small", {}, line))),
        number(statistic), p > 0 && p < 1e-300 ? "< 10\u207b\u00b3\u2070\u2070" : number(p, 2), bar,
        make("span", { class: `g ${style}`, title: said, role: "img", "aria-label": said }, glyph),
      ], { class: style });
    });
    return table("Statistics", ["test", "statistic", "p \u2264", make("span", { title: "how near p is to the level, on a scale of logarithms" }, "to level"), ""], rows);
  }

  function facts(one, target, scheme) {
    const name = `${target}${one.stream && `-${one.stream}`} as ${scheme} ${one.shape.replaceAll("\u00d7", "x") || "scalar"} ${one.layout} ${one.dtype} ${one.tier}`;
    const rows = { cell: name, values: one.n ? count(one.n) : "", shape: one.shape, layout: one.layout, dtype: one.dtype,
      stream: one.stream, tier: one.tier, seed: one.seed === undefined ? "" : String(one.seed),
      time: one.time === undefined ? "" : `${number(one.time, 2)} s` };
    return make("dl", { class: "facts" }, Object.entries(rows).filter(([, value]) => value)
      .map(([name, value]) => [make("dt", {}, name), make("dd", { class: name === "cell" ? "mono" : "" }, value)]));
  }

  function verdict(one) {
    const texts = [one.why, one.sentence, one.known].filter((place) => place !== undefined).map(text);
    return make("div", { class: `said ${one.style}` },
      make("p", {}, make("b", {}, `${one.glyph} ${capital(one.said)}`)), texts.map((said) => make("p", {}, capital(said))));
  }

  /** The cells of one target and scheme, to choose from: types across, all else down. */
  function picks(cells, now) {
    if (cells.length < 2) return null;
    const all = cells.map(known), dtypes = [...new Set(all.map((one) => one.dtype))];
    const lines = new Map();
    for (const one of all) {
      const name = [one.tier, one.stream, `${one.shape || "scalar"} ${one.layout}`].filter(Boolean).join(" \u00b7 ");
      lines.set(name, [...(lines.get(name) || []), one]);
    }
    const button = (one, name) => make("button", { type: "button", class: one.style, "data-open": one.cell, "aria-current": one.cell === now ? "true" : null,
      "aria-label": `${name}, ${one.dtype}: ${one.said}`, onclick: () => open(one.cell) }, one.glyph);
    return make("div", { class: "wide" }, make("table", { class: "picks", "aria-label": "Cells" },
      make("thead", {}, row("th", ["", ...dtypes])),
      make("tbody", {}, [...lines].map(([name, ones]) => row("", [name, ...dtypes.map((dtype) =>
        make("span", {}, ones.filter((one) => one.dtype === dtype).map((one) => button(one, name))))])))));
  }

  function open(cell, keep) {
    const link = home.get(cell);
    if (!link) return;
    const one = known(cell), [target, scheme] = data.groups[link.dataset.group];
    const again = panel.open && panel.contains(document.activeElement) && document.activeElement.dataset.open !== undefined;
    const body = make("div", { class: "body" }, picks(cellsOf(link), cell), verdict(one));
    panel.replaceChildren(
      make("div", { class: "top" }, make("h2", { id: "panel-title" }, make("code", {}, target), make("em", {}, " as "), make("code", {}, scheme)),
        make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => panel.close() }, "\u00d7")), body);
    if (!panel.open) panel.showModal();
    if (one.bars) body.append(picture(one, Math.max(260, Math.min(body.clientWidth - 2 * parseFloat(getComputedStyle(body).paddingLeft), 720))));
    else if (one.measured?.[1] === 0) body.append(make("p", {}, make("small", {}, `Every value is ${number(one.measured[0])}: there is nothing to draw.`)));
    if (one.measured) body.append(make("h3", {}, "Moments"), moments(one));
    if (one.tests?.length) {
      body.append(make("h3", {}, "Statistics and their bounds"), make("p", {}, make("small", {},
        `Each p is a bound that holds at every number of values; a test refuses below ${number(one.level, 2)}.`)), tests(one));
    } else if (!one.whole) {
      const least = one.p === undefined || one.p === null ? "" : ` Its least p-value is ${number(one.p, 2)}, of ${data.tests[one.least][0]}.`;
      const scale = typeof one.scale === "number" ? ` Its scale is ${number(one.scale)} \u00b1 ${number(one.half, 2)} of the law's.` : "";
      body.append(make("p", {}, make("small", {}, `${scale}${least} The other numbers are in the run's JSON: this page keeps those of a cell for each target and scheme, and of what is refused, as long as there is room.`)));
    }
    body.append(make("h3", {}, "Facts"), facts(one, target, scheme));
    if (!keep) history.replaceState(null, "", `#c${cell}`);
    if (again) panel.querySelector("[aria-current]")?.focus();
    else panel.scrollTop = 0;
  }

  panel.addEventListener("close", () => history.replaceState(null, "", location.href.split("#")[0]));
  panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });
  panel.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const all = [...panel.querySelectorAll("[data-open]")], at = all.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    open(+all[(at + step + all.length) % all.length].dataset.open);
  });

  // ----------------------------------------------------------------------------------- matrix

  const matrix = document.querySelector(".matrix");
  matrix?.addEventListener("keydown", (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const here = event.target.closest("td");
    if (!step || !here) return;
    event.preventDefault();
    let row = here.parentElement.rowIndex, column = here.cellIndex, found = null;
    do {
      row += step[0];
      column += step[1];
      const cell = matrix.rows[row]?.cells[column];
      if (!cell) return;
      found = cell.querySelector("a");
    } while (!found);
    found.focus();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#c"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(+link.hash.slice(2));
  });
  const follow = () => { if (/^#c\d+$/.test(location.hash)) open(+location.hash.slice(2), true); };
  addEventListener("hashchange", follow);
  let width = innerWidth;
  addEventListener("resize", () => { if (panel.open && innerWidth !== width) follow(); width = innerWidth; });

  for (const place of document.querySelectorAll("[data-spark]")) {
    const one = known(+place.dataset.spark);
    if (one.bars) place.innerHTML = spark(one); // of numbers alone
  }
  follow();
  document.documentElement.dataset.ready = document.querySelectorAll("[data-cell]").length;
})();
