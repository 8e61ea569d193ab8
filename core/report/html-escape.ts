const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * `escapeHtml` returns text for content and quoted attributes of a page. Control characters are shown as
 * escapes.
 */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (char) => entities[char])
    .replace(/[^\P{Cc}\n\t]|\p{Cf}/gu, (char) => `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`);
}
