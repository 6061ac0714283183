/**
 * ISO 4217 codes of the currencies whose amounts have other than two digits after the decimal point, by their digits.
 * ECMA-402 takes the digits of `Intl.NumberFormat` from the same list, but runtimes differ: RSD has 0 digits in workerd
 * and 2 in Node. The meaning of stored amounts depends on the digits, so they are fixed here.
 */
const codesByDigits = {
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
  3: "BHD IQD JOD KWD LYD OMR TND",
  4: "CLF UYW",
};

/** Digits of all other currencies, of unknown codes, and of amounts without a currency. */
const usualDigits = 2;

const digitsByCode = new Map(
  Object.entries(codesByDigits).flatMap(([digits, codes]) =>
    codes.split(" ").map((code): [string, number] => [code, Number(digits)]),
  ),
);

/** Returns the digits after the decimal point of a currency's amounts: 0 for JPY, 2 for EUR, 3 for KWD. */
export const currencyDigits = (currency: string | null): number =>
  (currency === null ? undefined : digitsByCode.get(currency)) ?? usualDigits;
