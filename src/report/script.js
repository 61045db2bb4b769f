// Browsing of the cases: filters, one card at a time, arrow keys. Without it the cards are a plain list.
(() => {
  "use strict";
  const browser = document.getElementById("case-browser");
  if (!browser) return;
  const cards = Array.from(browser.querySelectorAll("article.case"));
  const filters = Array.from(browser.querySelectorAll("select[data-filter]"));
  const controls = browser.querySelector("[data-controls]");
  const position = browser.querySelector("[data-position]");
  const empty = browser.querySelector("[data-empty]");
  const all = browser.querySelector("[data-all]");
  const steps = Array.from(browser.querySelectorAll("[data-step]"));
  let current = 0;

  const matching = () =>
    cards.filter((card) => filters.every((filter) => !filter.value || card.dataset[filter.dataset.filter] === filter.value));

  const show = () => {
    const chosen = matching();
    current = Math.max(0, Math.min(current, chosen.length - 1));
    for (const card of cards) card.hidden = true;
    for (const card of all.checked ? chosen : chosen.slice(current, current + 1)) card.hidden = false;
    empty.hidden = chosen.length > 0;
    const many = chosen.length === cards.length ? `${cards.length}` : `${chosen.length} (of ${cards.length})`;
    position.textContent = all.checked || !chosen.length ? `${many} cases` : `case ${current + 1} of ${many}`;
    for (const button of steps) {
      const next = current + Number(button.dataset.step);
      button.disabled = all.checked || next < 0 || next >= chosen.length;
    }
  };

  const step = (by) => {
    if (all.checked) return;
    current += by;
    show();
  };

  for (const button of steps) button.addEventListener("click", () => step(Number(button.dataset.step)));
  for (const filter of filters) {
    filter.addEventListener("change", () => {
      current = 0;
      show();
    });
  }
  all.addEventListener("change", show);
  browser.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("select, input, .scroll")) return;
    if (event.key === "ArrowRight") step(1);
    else if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "Home") step(-cards.length);
    else if (event.key === "End") step(cards.length);
    else return;
    event.preventDefault();
  });

  // Shows a card that a figure leads to, among those of its bin where the figure says which.
  const reveal = (id, bin) => {
    const card = cards.find((one) => one.id === id);
    if (!card) return;
    const wanted = { bin: bin || "", control: bin ? "none" : "" };
    for (const filter of filters) filter.value = wanted[filter.dataset.filter] || "";
    all.checked = false;
    current = Math.max(0, matching().indexOf(card));
    show();
    card.scrollIntoView({ block: "start" });
    card.focus({ preventScroll: true });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#case-']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const target = link.getAttribute("href");
    history.pushState(null, "", target);
    reveal(target.slice(1), link.dataset.toBin);
  });
  window.addEventListener("hashchange", () => reveal(location.hash.slice(1)));

  all.checked = false;
  controls.hidden = false;
  browser.classList.add("browsing");
  show();
  if (location.hash) reveal(location.hash.slice(1));
})();
