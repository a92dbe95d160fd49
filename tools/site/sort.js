// Tables whose heads are buttons: a click sorts by the column, another one the other way round.
// Numbers are in data-value; what has none comes last.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const key = (row, i) => row.cells[i].dataset.value ?? row.cells[i].textContent;
  heads.forEach((head, i) => head.firstElementChild.addEventListener("click", () => {
    const up = head.ariaSort !== "ascending", rows = [...body.rows];
    const number = rows.some((row) => row.cells[i].dataset.value !== undefined);
    const compare = number ? (a, b) => a - b : (a, b) => a.localeCompare(b);
    const empty = (row) => number && row.cells[i].dataset.value === undefined;
    rows.sort((a, b) => empty(a) - empty(b) || (up ? 1 : -1) * compare(key(a, i), key(b, i)));
    heads.forEach((other) => { other.ariaSort = "none"; });
    head.ariaSort = up ? "ascending" : "descending";
    body.append(...rows);
  }));
}
