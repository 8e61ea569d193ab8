/** Methods that ask for nothing to be changed: RFC 9110, section 9.2.1. */
export const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
