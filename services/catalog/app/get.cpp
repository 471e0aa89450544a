// The use cases that only read.
#include <utility>

#include "services/catalog/app/application.hpp"
#include "services/catalog/domain/checks.hpp"
#include "services/catalog/store/calls.hpp"
#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog {

Task<Result<Rows>> Application::read(Context context, Call call) {
    auto only = pipeline(std::move(call));
    RP_CO_TRY(auto answers,
              co_await read_only(environment_.database, std::move(context), std::move(only)));
    co_return std::move(answers.front());
}

Task<Result<Product>> Application::get(Context context, ProductId id) {
    auto attempt = [&] { return read(context, product_call(statements::find_product, id)); };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    if (found.rows.empty()) { co_return failure(no_such_product()); }
    co_return product_of(found.rows[0]);
}

Task<Result<std::vector<Product>>> Application::list(Context context, ProductPage page) {
    auto attempt = [&] {
        return read(context, Call(statements::list_products,
                                  {page.category, page.after.text(), page.limit}));
    };
    RP_CO_TRY(const Rows found, co_await with_retries(context, std::move(attempt)));
    std::vector<Product> products;
    for (const Row& row : found.rows) { products.push_back(product_of(row)); }
    co_return products;
}

Task<Result<bool>> Application::ping(Context context) {
    Call ping(statements::ping, {});
    RP_CO_CHECK(co_await read(std::move(context), std::move(ping)));
    co_return true;
}

}  // namespace rushproof::catalog
