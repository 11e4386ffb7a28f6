// [how many texts are seen, those of too little contrast against their ground: 4.5, or 3 for large text]
(() => {
  const numbers = colour => { const probe = new OffscreenCanvas(1, 1).getContext('2d'); probe.fillStyle = colour; probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map(it => it / 255).map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4)
    .reduce((sum, it, at) => sum + it * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = element => { for (let it = element; it; it = it.parentElement) {
    const colour = numbers(getComputedStyle(it).backgroundColor); if (colour[3] > 200) return colour; } return [255, 255, 255]; };
  const faint = []; let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('script, style, .unseen')) continue;
    const style = getComputedStyle(element);
    const [text, back] = [light(numbers(style.color)), light(ground(element))];
    const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    looked += 1;
    if (ratio < (large ? 3 : 4.5)) faint.push([walker.currentNode.data, ratio, style.color]);
  }
  return [looked, faint];
})()
